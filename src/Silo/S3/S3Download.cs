using Amazon.S3.Model;
using Signpost.Engine.Storage;

namespace Signpost.Silo.S3;

/// <summary>Brings one object, and goes on where a connection broke or fell silent.</summary>
internal sealed class S3Download(S3SegmentStore store, string key, IFileWriter target)
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Attempts that bring no byte, one after another, before it is given up.</summary>
    private const int MostFailures = 3;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private long _done;

    /// <summary>Tag of the object that came; null before.</summary>
    public string? Tag { get; private set; }

    /// <summary>Writes all of the object into the target; false where there is none.</summary>
    public bool TryRun(CancellationToken cancel)
    {
        for (int failures = 0; ;)
        {
            long before = _done;
            try
            {
                return TryGoOn(cancel);
            }
            catch (BrokenException e)
            {
                failures = _done > before ? 1 : failures + 1;
                if (failures >= MostFailures)
                {
                    throw store.Failed(key, e.InnerException!);
                }

                cancel.WaitHandle.WaitOne(Pause);
            }
        }
    }

    private bool TryGoOn(CancellationToken cancel)
    {
        GetObjectResponse? response = store.Open(key, _done, Tag, cancel);
        if (response is null)
        {
            return false;
        }

        try
        {
            Receive(response, cancel);
        }
        catch
        {
            Close(response);
            throw;
        }

        if (Close(response) is { } damage)
        {
            _done = 0; // what came is not what the server has
            throw new BrokenException(damage);
        }

        return true;
    }

    private void Receive(GetObjectResponse response, CancellationToken cancel)
    {
        Tag = response.ETag;
        long end = _done + response.ContentLength;
        byte[] chunk = new byte[(int)Math.Clamp(response.ContentLength, 1, ChunkBytes)];
        while (_done < end)
        {
            int got = Read(response.ResponseStream, chunk, cancel);
            target.Write(_done, chunk.AsSpan(0, got));
            _done += got;
        }
    }

    /// <summary>Ends a response; the client compares its checksum then, and what it finds is returned.</summary>
    private static Exception? Close(GetObjectResponse response)
    {
        try
        {
            response.Dispose();
            return null;
        }
        catch (Exception e) when (S3SegmentStore.IsOfNetwork(e))
        {
            return e;
        }
    }

    private int Read(Stream stream, byte[] chunk, CancellationToken cancel)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stall.CancelAfter(store.Stall);
        try
        {
            int got = stream.ReadAsync(chunk, stall.Token).AsTask().GetAwaiter().GetResult();
            return got > 0 ? got : throw new EndOfStreamException($"the connection ended after {_done} bytes");
        }
        catch (OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested();
            throw new BrokenException(new IOException($"no byte came for {store.Stall.TotalSeconds:0.#} s, after {_done} bytes"));
        }
        catch (Exception e) when (S3SegmentStore.IsOfNetwork(e))
        {
            cancel.ThrowIfCancellationRequested();
            throw new BrokenException(e);
        }
    }

    /// <summary>The connection broke in mid-transfer; never a failure of the target.</summary>
    private sealed class BrokenException(Exception why) : Exception(why.Message, why);
}
