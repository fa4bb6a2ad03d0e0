using Signpost.Silo.Http;

namespace Signpost.Silo.Cli.Report;

/// <summary>What the leader would move, as tables: the moves, and the silos before and after.</summary>
internal static class PlanTable
{
    private const int MostMoves = 64;

    /// <summary>Prints <paramref name="plan"/>.</summary>
    public static void Print(Session session, PlanReply plan)
    {
        session.Say(plan.Moves.Length == 0
            ? "nothing moves: every silo is within the tolerance, or as near as whole shards let it"
            : $"{PageText.Plural(plan.Moves.Length, "move")}, {MiB(plan.Bytes)} MiB (at least {MiB(plan.MinimumBytes)}){Time(plan)}");
        string[][] moves =
        [
            .. plan.Moves.Take(MostMoves).Select(move => (string[])[
                $"{move.Collection}/{move.Shard}", move.From ?? "one more copy", move.To, MiB(move.Bytes),
                move.Seconds is { } seconds ? PageText.Number(seconds, "N1") : "", move.HasBegun ? "on its way" : ""]),
        ];
        if (moves.Length > 0)
        {
            Terminal.Print(["shard", "from", "to", "MiB", "s", ""], moves, [4], Console.Out);
        }

        if (plan.Moves.Length > MostMoves)
        {
            session.Say($"and {PageText.Plural(plan.Moves.Length - MostMoves, "move")} more; --json has all");
        }

        string[][] silos =
        [
            .. plan.Silos.Select(silo => (string[])[
                silo.Silo, $"{silo.ShardsBefore}", MiB(silo.BytesBefore), Share(silo.BytesBefore, silo.FairBytes), $"{silo.ShardsAfter}", MiB(silo.BytesAfter),
                Share(silo.BytesAfter, silo.FairBytes)]),
        ];
        if (silos.Length > 0)
        {
            Terminal.Print(["silo", "shards", "MiB", "of its share", "shards after", "MiB after", "of its share after"], silos, [], Console.Out);
        }
    }

    /// <summary>The time at the throttle in words.</summary>
    public static string Time(PlanReply plan) => plan.Seconds is { } seconds ? $", about {PageText.Number(seconds, "N0")} s at the throttle" : "";

    private static string Share(long bytes, long fair) => fair == 0 ? "" : $"{PageText.Number(100.0 * bytes / fair, "N0")} %";

    private static string MiB(long bytes) => PageText.Number(bytes / 1048576.0, "N1");
}
