using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Shards;

/// <summary>Opens shards of a collection that is in use, one at a time, so that two never take the same memory.</summary>
internal sealed class ShardOpening(CollectionPlace place, CollectionCell cell)
{
    private readonly Lock _one = new();

    /// <summary><see cref="Collection.OpenShard"/>.</summary>
    public Outcome<Shard> Open(int number, Work work)
    {
        lock (_one)
        {
            CollectionState now = cell.State;
            if (now.Find(number) is not { } shard)
            {
                return new Problem(
                    ProblemCode.NotFound, "shard", $"{number}", $"a shard of collection {now.Manifest.Name}", "Name one that its manifest has.");
            }

            try
            {
                Outcome<Shard> opened = (shard.Shard ?? cell.TryShare(shard.Entry)) is { } open ? open : Open(shard.Entry, work);
                if (opened.Problem is { } problem)
                {
                    cell.Replace(number, null, problem.ToString());
                }

                return opened;
            }
            catch (IOException e)
            {
                cell.Replace(number, null, e.Message);
                throw;
            }
            finally
            {
                cell.Arriving = 0;
            }
        }
    }

    private Outcome<Shard> Open(ManifestShard entry, Work work)
    {
        CollectionState seen = cell.State;
        long need = place.NeedOf(entry, seen.Codes.Select(codes => codes.Quantizer.Entry));
        if (cell.CheckMemory(need) is { } problem)
        {
            return problem;
        }

        cell.Arriving = need;
        Outcome<Shard> opened = place.OpenSegment(seen.Manifest, entry, work);
        if (opened.Problem is not null)
        {
            return opened;
        }

        try
        {
            while (!TryAdd(entry.Id, opened.Value!, work))
            {
            }

            return opened;
        }
        catch
        {
            opened.Value!.Dispose();
            throw;
        }
    }

    /// <summary>Opens the codes that every shard has now, and adds the shard; false where others took their place meanwhile.</summary>
    private bool TryAdd(int number, Shard shard, Work work)
    {
        CollectionState seen = cell.State;
        try
        {
            foreach (CollectionCodes codes in seen.Codes)
            {
                if (codes.FileOf(number) is { } file)
                {
                    shard.OpenCodes(place.Disk, place.Folder, file, codes.Quantizer, work);
                }
            }

            if (cell.TryAdd(number, shard, seen))
            {
                return true;
            }
        }
        catch (BadFileException) when (!cell.State.HasCodesOf(seen))
        {
            // Whoever put others in their place removed their files.
        }

        foreach (CollectionCodes codes in seen.Codes)
        {
            shard.DropCodes(codes.Version);
        }

        return false;
    }
}
