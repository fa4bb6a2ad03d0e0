namespace Signpost.Client.Tests;

public class SiloListTests
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);
    private static readonly Uri A = new("http://a:1/");
    private static readonly Uri B = new("http://b:1/");
    private static readonly Uri C = new("http://c:1/");

    private readonly ManualTime _time = new();

    [Fact]
    public void Silos_are_asked_in_turn()
    {
        SiloList list = List(A, B, C);
        Uri[] turns = [.. Enumerable.Range(0, 6).Select(_ => list.Next([]).Address)];
        Assert.Equal(turns[..3], turns[3..]);
        Assert.Equal([A, B, C], turns[..3].OrderBy(uri => uri.Host));
    }

    [Fact]
    public void One_that_failed_is_left_out_for_its_rest_and_then_tried_by_one_caller()
    {
        SiloList list = List(A, B);
        Silo a = Take(list, A);
        list.Rest(a);
        Assert.DoesNotContain(A, Take(list, 4));
        _time.Pass(Rest - TimeSpan.FromMilliseconds(1));
        Assert.DoesNotContain(A, Take(list, 4));
        _time.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Single(Take(list, 4), A);
        a.Wake();
        Assert.Equal(2, Take(list, 4).Count(uri => uri == A));
    }

    [Fact]
    public void Where_an_address_is_https_no_silo_is_asked_in_clear()
    {
        var secret = new Uri("https://d:1/");
        SiloList list = List(secret);
        list.Learn(Cluster("redis", ("http://a:1", "serving"), ("https://d:1", "serving"), ("https://e:1", "serving")));
        Assert.Equal(["https://d:1/", "https://e:1/"], list.Addresses.Select(uri => uri.ToString()).Order());
    }

    [Fact]
    public void Where_all_rest_the_one_that_ends_first_is_asked_before_those_that_were_tried()
    {
        SiloList list = List(A, B, C);
        (Silo a, Silo b, Silo c) = (Take(list, A), Take(list, B), Take(list, C));
        list.Rest(a);
        list.Rest(b, TimeSpan.FromSeconds(1));
        list.Rest(c, TimeSpan.FromSeconds(2));
        Assert.Same(b, list.Next([]));
        Assert.Same(c, list.Next([b]));
        Assert.Same(a, list.Next([b, c]));
        Assert.Same(b, list.Next([a, b, c]));
    }

    [Fact]
    public void What_the_cluster_tells_takes_the_place_of_what_it_told_before()
    {
        SiloList list = List(A);
        Silo a = Take(list, A);
        list.Learn(Cluster("redis", ("http://b:1", "serving"), ("ftp://x", "serving"), ("http://a:1", "serving")));
        Assert.Equal([A, B], list.Addresses);
        Assert.Same(a, Take(list, A)); // with what is known of it
        list.Learn(Cluster("redis", ("http://c:1", "serving"), ("http://a:1/", "leaving")));
        Assert.Equal([C], list.Addresses);
        list.Learn(Cluster("redis", ("http://c:1", "serving")));
        Assert.Equal([A, C], list.Addresses); // an address of the options is asked unless the cluster says that it does not serve
        list.Learn(Cluster("redis", ("http://a:1/", "leaving")));
        Assert.Equal([A, C], list.Addresses); // nobody at all is no news to act on
    }

    [Fact]
    public void A_silo_that_is_alone_tells_nothing_new()
    {
        SiloList list = List(A);
        list.Learn(Cluster("embedded", ("http://0.0.0.0:1", "serving")));
        Assert.Equal([A], list.Addresses);
    }

    private static ClusterInfo Cluster(string runtime, params (string Url, string State)[] silos) => new()
    {
        Runtime = runtime,
        Silo = "x",
        Version = "1",
        Api = 1,
        Collections = [],
        Silos =
        [
            .. silos.Select(s => new SiloInfo
            {
                Name = "x", Url = s.Url, State = s.State, Epoch = 1, MemoryBytes = 1, ResidentBytes = 1, Waiting = 0, Shards = 0,
            }),
        ],
    };

    private static Silo Take(SiloList list, Uri address) =>
        Enumerable.Range(0, 10).Select(_ => list.Next([])).First(silo => silo.Address == address);

    private static Uri[] Take(SiloList list, int count) => [.. Enumerable.Range(0, count).Select(_ => list.Next([]).Address)];

    private SiloList List(params Uri[] seeds) => new(seeds, Rest, _time);

    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1;

        public override long GetTimestamp() => _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan time) => _now += time.Ticks;
    }
}
