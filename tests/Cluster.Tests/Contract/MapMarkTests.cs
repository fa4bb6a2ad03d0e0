using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Contract;

/// <summary>What is restored when Redis has forgotten, decided without Redis: thousands of histories in a second.</summary>
public class MapMarkTests
{
    private static readonly MapMark Five = new(5, 5, 50);

    [Fact]
    public void What_is_there_is_taken_when_it_is_known_or_follows()
    {
        Assert.Null(MapMark.Mend(null, null));
        Assert.Null(MapMark.Mend(Five, null));
        Assert.Null(MapMark.Mend(Five, Five));
        Assert.Null(MapMark.Mend(new MapMark(6, 6, 60), Five));
        Assert.Null(MapMark.Mend(new MapMark(5 + MapMark.Jump, 5, 51), Five)); // another silo has restored it
    }

    [Fact]
    public void What_is_lost_is_restored_above_every_version_that_was_seen()
    {
        Assert.Equal((5 + MapMark.Jump, 5), MapMark.Mend(null, Five));
        Assert.Equal((5 + MapMark.Jump, 5), MapMark.Mend(new MapMark(3, 3, 30), Five));
        Assert.Equal((3 + (2 * MapMark.Jump), 5), MapMark.Mend(new MapMark(3 + MapMark.Jump, 3, 31), Five)); // restored by one that knew less
    }

    [Fact]
    public void A_later_content_under_an_earlier_or_equal_version_is_lifted()
    {
        Assert.Equal((5 + MapMark.Jump, 5), MapMark.Mend(new MapMark(5, 5, 51), Five));
        Assert.Equal((4 + (2 * MapMark.Jump), 7), MapMark.Mend(new MapMark(7, 7, 70), new MapMark(4 + MapMark.Jump, 4, 40)));
    }

    [Theory]
    [InlineData("1 2 000000000000000f", true)]
    [InlineData("1 2", false)]
    [InlineData("1 2 x", false)]
    [InlineData("1 -2 f", false)]
    [InlineData("99999999999999999999 2 f", false)]
    public void A_mark_is_read_as_it_is_written(string text, bool valid)
    {
        if (valid)
        {
            Assert.Equal(text, MapMark.Parse(text).ToString());
        }
        else
        {
            Assert.True(Record.Exception(() => MapMark.Parse(text)) is FormatException or OverflowException);
        }
    }

    /// <summary>
    /// Silos write, look, and forget when they are restarted; Redis goes back to any earlier state, or to none. Whenever all have looked
    /// until nothing changes, they agree, on the latest content that any of them knew; and nobody ever saw a version fall.
    /// </summary>
    [Fact]
    public void In_any_history_versions_rise_for_every_silo_and_all_come_to_agree_on_the_latest_content_known()
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var silos = new MapMark?[4];
            var saved = new List<MapMark?> { null };
            MapMark? redis = null;
            ulong digest = 0;

            void Look(int silo)
            {
                if (MapMark.Mend(redis, silos[silo]) is { } mended)
                {
                    redis = new MapMark(mended.Version, mended.Content, ++digest);
                }

                Assert.True(silos[silo] is not { } before || redis == before || redis!.Value.Version > before.Version, $"seed {seed}");
                silos[silo] = redis;
                saved.Add(redis);
            }

            for (int step = 0; step < 40; step++)
            {
                int silo = random.Next(silos.Length);
                switch (random.Next(8))
                {
                    case 0:
                        redis = saved[random.Next(saved.Count)];
                        break;
                    case 1:
                        silos[silo] = null;
                        break;
                    case 2 or 3:
                        Look(silo);
                        break;
                    default: // a write: what the silo knows must be what is there
                        if (redis == silos[silo])
                        {
                            long next = (redis?.Version ?? 0) + 1;
                            silos[silo] = redis = new MapMark(next, next, ++digest);
                            saved.Add(redis);
                        }

                        break;
                }
            }

            long latest = silos.Append(redis).Max(mark => mark?.Content ?? 0);
            for (int round = 0; round < 3; round++)
            {
                for (int silo = 0; silo < silos.Length; silo++)
                {
                    Look(silo);
                }
            }

            Assert.All(silos, mark => Assert.Equal(redis, mark));
            Assert.Equal(latest, redis?.Content ?? 0);
        }
    }
}
