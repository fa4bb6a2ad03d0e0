using Signpost.Engine.Cluster;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What is learned of a silo from its calls.</summary>
public class SiloLoadTests
{
    private readonly SiloLoad _silo = new(new SiloId("a", 1));
    private TimeSpan _now = TimeSpan.FromMinutes(1);

    [Fact]
    public void Work_is_the_calls_that_are_out_and_the_new_one_times_their_mean_latency()
    {
        Assert.Equal(1, _silo.CostAt(_now));
        _silo.Begin();
        _silo.Begin();
        Assert.Equal(3, _silo.CostAt(_now));
        _silo.End();

        Answer(ms: 2);

        Assert.Equal(2 * 20, _silo.CostAt(_now), 6); // two calls of 20 units of 100 us
    }

    [Fact]
    public void The_mean_weighs_what_is_new_more_and_fades_when_nothing_is_seen()
    {
        Answer(ms: 10);
        Assert.Equal(100, _silo.CostAt(_now), 6);

        double lastWeight = Math.Exp(-1);
        _now += TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(20);
        Answer(ms: 20);
        Assert.Equal(200 + (-100 * lastWeight), _silo.CostAt(_now), 3);

        _now += TimeSpan.FromSeconds(5);
        Assert.Equal((200 + (-100 * lastWeight)) * lastWeight, _silo.CostAt(_now), 3);
        _now += TimeSpan.FromMinutes(1);
        Assert.Equal(1, _silo.CostAt(_now));
    }

    [Fact]
    public void A_call_that_was_given_up_raises_the_mean_to_its_time_and_never_lowers_it()
    {
        Answer(ms: 10);

        _silo.GaveUp(_now - TimeSpan.FromMilliseconds(5), _now);
        Assert.Equal(100, _silo.CostAt(_now), 6);

        _silo.GaveUp(_now - TimeSpan.FromMilliseconds(40), _now);
        Assert.Equal(400, _silo.CostAt(_now), 6);
        Assert.False(_silo.IsAvoided);
    }

    [Fact]
    public void Hedges_wait_50_ms_until_32_calls_were_seen_and_then_for_the_95th_percentile_but_never_less_than_2_ms()
    {
        for (int i = 0; i < 31; i++)
        {
            Answer(ms: 0.1);
        }

        Assert.Equal(TimeSpan.FromMilliseconds(50), _silo.HedgeAfter);
        Answer(ms: 0.1);
        Assert.Equal(TimeSpan.FromMilliseconds(2), _silo.HedgeAfter);
        for (int i = 0; i < 100; i++)
        {
            Answer(ms: i % 10 == 0 ? 30 : 3);
        }

        Assert.InRange(_silo.HedgeAfter, TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(36));
    }

    [Fact]
    public void Calls_that_are_given_up_at_the_percentile_do_not_let_it_sink()
    {
        for (int i = 0; i < 1000; i++)
        {
            if (i % 10 == 0)
            {
                _silo.GaveUp(_now - _silo.HedgeAfter, _now);
            }
            else
            {
                Answer(ms: 20);
            }
        }

        Assert.True(_silo.HedgeAfter > TimeSpan.FromMilliseconds(24), $"{_silo.HedgeAfter}");
    }

    [Fact]
    public void A_silo_that_fails_is_tried_by_one_query_after_each_pause_and_pauses_double_until_10_s()
    {
        double[] expected = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000];
        foreach (double pause in expected)
        {
            _now += TimeSpan.FromMilliseconds(1);
            _silo.Failed(_now, _now);
            Assert.True(_silo.IsAvoided);
            _now += TimeSpan.FromMilliseconds(pause) - TimeSpan.FromTicks(1);
            Assert.False(_silo.TryProbe(_now));
            _now += TimeSpan.FromTicks(1);
            Assert.True(_silo.TryProbe(_now));
            Assert.False(_silo.TryProbe(_now));
        }

        Answer(ms: 1);
        Assert.False(_silo.IsAvoided);
        Assert.False(_silo.TryProbe(_now + TimeSpan.FromHours(1)));
        _silo.Failed(_now, _now);
        Assert.True(_silo.TryProbe(_now + TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public void Calls_that_fail_together_are_one_failure()
    {
        TimeSpan started = _now;
        for (int i = 0; i < 50; i++)
        {
            _now += TimeSpan.FromMilliseconds(1);
            _silo.Failed(started, _now);
        }

        Assert.True(_silo.TryProbe(started + TimeSpan.FromMilliseconds(101)));
    }

    [Fact]
    public void A_probe_that_is_never_heard_of_again_does_not_end_the_probes()
    {
        _silo.Failed(_now, _now);
        _now += TimeSpan.FromMilliseconds(100);
        Assert.True(_silo.TryProbe(_now));
        Assert.True(_silo.TryProbe(_now + TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public void Silence_of_four_times_the_percentile_is_a_failure()
    {
        _silo.Silent(_now - TimeSpan.FromMilliseconds(199), _now);
        Assert.False(_silo.IsAvoided);
        _silo.Silent(_now - TimeSpan.FromMilliseconds(200), _now);
        Assert.True(_silo.IsAvoided);
    }

    private void Answer(double ms)
    {
        TimeSpan started = _now;
        _now += TimeSpan.FromMilliseconds(ms);
        _silo.Begin();
        _silo.Answered(started, _now);
        _silo.End();
    }
}
