using Signpost.Engine.Base;
using Signpost.Silo.Eval;

namespace Signpost.Silo;

/// <summary>
/// Looks at the folders of open collections, again and again, and turns to new codes where a training has finished, and to other shards where they were split or merged: a server goes on
/// serving meanwhile. What cannot be opened is said once, and the old ones stay in use.
/// </summary>
internal sealed class CodesWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyCollection<OpenCollection> _collections;
    private readonly Action<string> _say;
    private readonly Dictionary<OpenCollection, string> _said = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Thread _thread;

    /// <param name="collections">What is watched.</param>
    /// <param name="say">Takes a line for the operator.</param>
    public CodesWatch(IReadOnlyCollection<OpenCollection> collections, Action<string> say)
    {
        _collections = collections;
        _say = say;
        _thread = new Thread(Loop) { IsBackground = true, Name = "signpost codes" };
        _thread.Start();
    }

    /// <summary>Ends the watch; collections may be closed after it.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }

    private void Loop()
    {
        while (!_stop.Token.WaitHandle.WaitOne(Interval))
        {
            foreach (OpenCollection collection in _collections)
            {
                Look(collection);
            }
        }
    }

    private void Look(OpenCollection collection)
    {
        try
        {
            Outcome<bool> changed = collection.Refresh(new Work(1, null, _stop.Token));
            if (changed.Problem is { } problem)
            {
                SayOnce(collection, problem.ToString());
            }
            else if (changed.Value)
            {
                _said.Remove(collection);
                BuildFacts facts = collection.Facts;
                string codes = facts.M is null ? "no codes" : $"codes version {facts.CodesVersion} ({facts.Quantizer}, m {facts.M})";
                _say($"{facts.Collection}: {facts.Shards} shards and {codes} are in use");
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        catch (Exception e)
        {
            SayOnce(collection, e.Message); // the old codes stay in use, and the next look may find it mended
        }
    }

    private void SayOnce(OpenCollection collection, string what)
    {
        if (_said.GetValueOrDefault(collection) != what)
        {
            _said[collection] = what;
            _say($"{collection.Facts.Collection}: what is new in {collection.Folder} cannot be used, the old goes on: {what}");
        }
    }
}
