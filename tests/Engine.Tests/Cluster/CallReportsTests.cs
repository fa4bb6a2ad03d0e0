using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What a search tells of the calls that it makes.</summary>
public sealed class CallReportsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    private readonly CallReports _report = new();

    [Fact]
    public void Each_silo_that_is_asked_is_told_with_its_shards_its_work_and_its_time()
    {
        using var cluster = new ScriptedCluster("a", "b", "a") { Script = call => Reply.In(call.Silo == "a" ? 3 : 7) };

        cluster.Ask(cluster.NewCoordinator(), Long, report: _report);

        CallReport[] calls = [.. _report.Calls.ToArray().OrderBy(call => call.Silo, StringComparer.Ordinal)];
        Assert.Equal(["a", "b"], calls.Select(call => call.Silo));
        Assert.All(calls, call => Assert.Equal((AskKind.First, CallEnd.Answered, false, TimeSpan.Zero), (call.Kind, call.End, call.IsHere, call.Started)));
        Assert.Equal([3.0, 7.0], calls.Select(call => call.Took.TotalMilliseconds));
        Assert.Equal([2, 1], calls.Select(call => call.Stats.Hops));
        Assert.Equal([0, 2], _report.ShardsOf(calls[0]).ToArray().Order());
        Assert.Equal([1], _report.ShardsOf(calls[1]).ToArray());
    }

    [Fact]
    public void A_call_that_fails_is_told_with_its_reason_and_the_one_in_its_place_as_a_retry()
    {
        using var cluster = new ScriptedCluster("a b");
        string? first = null;
        cluster.Script = call => (first ??= call.Silo) == call.Silo ? Reply.FailsIn(2) : Reply.In(3);

        cluster.Ask(cluster.NewCoordinator(), Long, report: _report);

        Assert.Equal(2, _report.Calls.Length);
        (CallReport failed, CallReport retry) = (_report.Calls[0], _report.Calls[1]);
        Assert.Equal((first, CallEnd.Failed, "no connection", 2.0), (failed.Silo, failed.End, failed.Failure, failed.Took.TotalMilliseconds));
        Assert.Equal((AskKind.Retry, CallEnd.Answered, 2.0, 3.0), (retry.Kind, retry.End, retry.Started.TotalMilliseconds, retry.Took.TotalMilliseconds));
        Assert.Equal((1, 0), (_report.Count(AskKind.Retry), _report.Count(AskKind.Hedge)));
    }

    [Fact]
    public void A_silent_call_is_told_as_given_up_and_the_one_in_its_place_as_a_hedge()
    {
        using var cluster = new ScriptedCluster("a b");
        string? first = null;
        cluster.Script = call => (first ??= call.Silo) == call.Silo ? Reply.Never : Reply.In(1);

        cluster.Ask(cluster.NewCoordinator(), Long, report: _report);

        Assert.Equal((CallEnd.GivenUp, AskKind.First), (_report.Calls[0].End, _report.Calls[0].Kind));
        Assert.Equal((CallEnd.Answered, AskKind.Hedge), (_report.Calls[1].End, _report.Calls[1].Kind));
        Assert.Equal(_report.Calls[1].Started + _report.Calls[1].Took, _report.Calls[0].Took);
    }

    [Fact]
    public void What_the_deadline_ends_is_told_as_given_up()
    {
        using var cluster = new ScriptedCluster("a", "b") { Script = call => call.Silo == "a" ? Reply.In(1) : Reply.Never };

        Answered answer = cluster.Ask(cluster.NewCoordinator(), TimeSpan.FromMilliseconds(100), report: _report);

        Assert.Equal(1, answer.Value.Coverage.ShardsAnswered);
        CallReport late = Assert.Single(_report.Calls.ToArray(), call => call.Silo == "b");
        Assert.Equal((CallEnd.GivenUp, 100.0), (late.End, late.Took.TotalMilliseconds));
    }

    [Fact]
    public void A_silo_that_has_nothing_of_what_was_asked_has_failed()
    {
        using var cluster = new ScriptedCluster("a") { Script = _ => new Reply(Missing: [0]) };

        cluster.Ask(cluster.NewCoordinator(), Long, report: _report);

        CallReport call = Assert.Single(_report.Calls.ToArray());
        Assert.Equal((CallEnd.Failed, "it moved"), (call.End, call.Failure));
    }

    [Fact]
    public void A_refusal_is_an_answer()
    {
        var refusal = new Problem(ProblemCode.WrongDimension, "query", "2", "3", "mend");
        using var cluster = new ScriptedCluster("a") { Script = _ => new Reply(Refusal: refusal) };

        Assert.Equal(refusal, cluster.Ask(cluster.NewCoordinator(), Long, report: _report).Outcome.Problem);

        Assert.Equal(CallEnd.Answered, Assert.Single(_report.Calls.ToArray()).End);
    }

    [Fact]
    public void A_cleared_report_tells_the_next_search_alone()
    {
        using var cluster = new ScriptedCluster(["a", "b", "c", "d", "e", "f", "a b c d e f"]);
        cluster.Ask(cluster.NewCoordinator(), Long, report: _report);
        Assert.Equal(6, _report.Calls.Length);
        Assert.Equal(7, _report.Calls.ToArray().Sum(call => _report.ShardsOf(call).Length));
        _report.Clear();
        Assert.True(_report.Calls.IsEmpty);
        cluster.Ask(cluster.NewCoordinator(), Long, report: _report);
        Assert.Equal(6, _report.Calls.Length);
        Assert.Equal(Enumerable.Range(0, 7), _report.Calls.ToArray().SelectMany(call => _report.ShardsOf(call).ToArray()).Order());
    }
}
