using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>
/// A training that this silo is at, under a lease: its record, and the right to go on. One thread trains, another one beats, any may look and stop.
/// </summary>
internal sealed class TrainingRun : IProgress<PhaseProgress>, IDisposable
{
    private readonly Lock _change = new();
    private readonly ISegmentStore _store;
    private readonly IClusterState _state;
    private readonly Lease _lease;
    private readonly IDisposable? _folder;
    private readonly TrainerOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly long _begun;
    private readonly double _before;
    private TrainingRecord _record;
    private long _renewedAt;
    private string? _noted;
    private volatile bool _isStopped;

    /// <param name="store">Where the record is.</param>
    /// <param name="state">Where the lease is.</param>
    /// <param name="lease">The right to train.</param>
    /// <param name="record">The training.</param>
    /// <param name="folder">The right to write in the collection's folder, where it is one; goes with this.</param>
    /// <param name="options">How long a lease lasts.</param>
    /// <param name="time">Measures.</param>
    public TrainingRun(ISegmentStore store, IClusterState state, Lease lease, TrainingRecord record, IDisposable? folder, TrainerOptions options, TimeProvider time)
    {
        (_store, _state, _lease, _folder, _options, _time) = (store, state, lease, folder, options, time);
        _begun = _renewedAt = time.GetTimestamp();
        _before = record.Seconds;

        // In a folder that is locked nobody else writes, and a state that is in memory counts its epochs anew in every process.
        _record = record with { Silo = lease.Holder, Epoch = folder is null ? lease.Epoch : Math.Max(lease.Epoch, record.Epoch) };
    }

    /// <summary>How it is now.</summary>
    public TrainingRecord Record
    {
        get
        {
            lock (_change)
            {
                return _record with { Seconds = _record.State == TrainingState.Running ? _before + _time.GetElapsedTime(_begun).TotalSeconds : _record.Seconds };
            }
        }
    }

    /// <summary>Cancelled when it is to end here, whatever becomes of it.</summary>
    public CancellationToken Cancel => _end.Token;

    /// <summary>Whether somebody stopped it: nobody is to go on with it.</summary>
    public bool IsStopped => _isStopped;

    /// <summary>Whether, by this silo's clock, the lease is still valid.</summary>
    public bool MayHold => _time.GetElapsedTime(_renewedAt) < _options.Lease;

    /// <summary>Ends it for good.</summary>
    public void Stop()
    {
        _isStopped = true;
        Leave();
    }

    /// <summary>Ends it here; another silo goes on with it.</summary>
    public void Leave()
    {
        try
        {
            _end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It is over.
        }
    }

    /// <summary>Changes the record.</summary>
    public void Change(Func<TrainingRecord, TrainingRecord> change)
    {
        lock (_change)
        {
            _record = change(_record);
        }
    }

    /// <inheritdoc/>
    public void Report(PhaseProgress value) =>
        Change(record => record with { Phase = value.Phase, PhaseDone = value.Done, PhaseTotal = value.Total, Reason = null });

    /// <summary>Takes a moment of learning.</summary>
    public void Learned(TrainingPoint point) => Change(record => record.With(point));

    /// <summary>Keeps the lease and shows the record beside it; where the lease has ended, so does the training here.</summary>
    public async ValueTask BeatAsync(CancellationToken cancel)
    {
        long before = _time.GetTimestamp();
        try
        {
            if (!await _state.TryRenewAsync(_lease, _options.Lease, cancel).ConfigureAwait(false))
            {
                Leave();
                return;
            }

            Volatile.Write(ref _renewedAt, before);
            string note = Record.WriteNote();
            if (note != _noted && await _state.TryNoteAsync(_lease, note, cancel).ConfigureAwait(false))
            {
                _noted = note;
            }
        }
        catch (IOException) when (!MayHold)
        {
            Leave();
            throw;
        }
    }

    /// <summary>Fences what comes next: it goes on only where the lease is valid now.</summary>
    /// <exception cref="OperationCanceledException">It is not, or the training is to end.</exception>
    public void MustHold()
    {
        Cancel.ThrowIfCancellationRequested();
        if (!Holds())
        {
            Cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Whether the lease is valid now; where it is not, the training ends here.</summary>
    public bool Holds()
    {
        long before = _time.GetTimestamp();
        bool holds = _state.TryRenewAsync(_lease, _options.Lease, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        if (holds)
        {
            Volatile.Write(ref _renewedAt, before);
        }
        else
        {
            Leave();
        }

        return holds;
    }

    /// <summary>Writes the record to the store.</summary>
    /// <exception cref="OperationCanceledException">One of a newer lease is there: another silo goes on with the training.</exception>
    public void Save()
    {
        TrainingRecord record = Record;
        if (Read(_store, record.Collection, CancellationToken.None) is { } there && there.Epoch > record.Epoch)
        {
            Leave();
            throw new OperationCanceledException(Cancel);
        }

        BytesFile.Write(_store, record.Collection, TrainingRecord.FileName, record.Write(), CancellationToken.None);
    }

    /// <summary>Gives the lease and the folder back.</summary>
    public async ValueTask ReleaseAsync()
    {
        _folder?.Dispose();
        try
        {
            await _state.ReleaseAsync(_lease, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It ends by itself.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _end.Dispose();

    /// <summary>The record of a collection; null where there is none that this version can read.</summary>
    public static TrainingRecord? Read(ISegmentStore store, string collection, CancellationToken cancel) =>
        BytesFile.Read(store, collection, TrainingRecord.FileName, cancel) is { } bytes ? TrainingRecord.Read(bytes) : null;
}
