namespace Signpost.Engine.Cluster;

/// <summary>Brings silos whose load is beyond the tolerance back to its edge, with as few bytes as the sizes of the shards allow.</summary>
/// <remarks>
/// A move is made only when it leaves the receiver relatively emptier than the giver was. So the list of relative loads, the fullest first,
/// falls with every move, and this ends.
/// </remarks>
internal sealed class PlacementBalance(PlacementTable table, double tolerance)
{
    private readonly double _most = 1 + tolerance;
    private readonly double _least = 1 - tolerance;

    /// <summary>First what is too much goes to the emptiest, then what is still too little comes from the fullest; whether anything moved.</summary>
    public bool Run()
    {
        bool hasMoved = false;
        foreach (int silo in Where(relative => relative > _most).OrderByDescending(silo => table.Relative(silo)))
        {
            hasMoved |= Relieve(silo);
        }

        foreach (int silo in Where(relative => relative < _least).OrderBy(silo => table.Relative(silo)))
        {
            hasMoved |= Fill(silo);
        }

        return hasMoved;
    }

    private int[] Where(Func<double, bool> isMeant) => [.. Enumerable.Range(0, table.Silos).Where(silo => isMeant(table.Relative(silo)))];

    /// <summary>Moves shards away from a silo until its load is tolerable; whether anything moved.</summary>
    private bool Relieve(int from)
    {
        bool hasMoved = false;
        while (table.Relative(from) > _most)
        {
            double before = table.Relative(from);
            double excess = table.LoadOf(from) - (_most * table.ShareOf(from));
            if (!TryOne(_most) && !TryOne(before))
            {
                break;
            }

            hasMoved = true;

            bool TryOne(double limit) => table.TryOne(from, excess, shard =>
            {
                int to = table.MayMove(shard) ? table.EmptiestFor(shard, leaving: from) : -1;
                if (to < 0 || table.Relative(to, table.BytesOf(shard)) is var after && (after >= before * PlacementTable.SameBelow || after > limit))
                {
                    return false;
                }

                table.Move(shard, from, to);
                return true;
            });
        }

        return hasMoved;
    }

    /// <summary>Moves shards to a silo, from the fullest first, until its load is tolerable.</summary>
    private bool Fill(int to)
    {
        bool hasMoved = false;
        var givers = new PriorityQueue<int, (double, int)>();
        foreach (int silo in Where(relative => relative > table.Relative(to)))
        {
            givers.Enqueue(silo, (-table.Relative(silo), silo));
        }

        while (table.Relative(to) < _least && givers.TryDequeue(out int from, out _))
        {
            double deficit = (_least * table.ShareOf(to)) - table.LoadOf(to);
            if (table.TryOne(from, deficit, shard => TryMove(shard, from, to)))
            {
                givers.Enqueue(from, (-table.Relative(from), from));
                hasMoved = true;
            }
        }

        return hasMoved;
    }

    private bool TryMove(int shard, int from, int to)
    {
        long bytes = table.BytesOf(shard);
        bool isBetter = table.Relative(to, bytes) < table.Relative(from) * PlacementTable.SameBelow && table.Relative(to) < table.Relative(from, -bytes) * PlacementTable.SameBelow;
        if (!isBetter || !table.MayMove(shard) || !table.MayHold(shard, to, leaving: from))
        {
            return false;
        }

        table.Move(shard, from, to);
        return true;
    }
}
