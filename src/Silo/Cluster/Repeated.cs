using Signpost.Engine.Base;

namespace Signpost.Silo.Cluster;

/// <summary>
/// A thread that does one thing again and again: control work never waits for a thread of the pool, whatever else the process does.
/// What fails is said once, until it works again or fails otherwise.
/// </summary>
internal sealed class Repeated : IDisposable
{
    private readonly string _name;
    private readonly TimeSpan _interval;
    private readonly Func<CancellationToken, ValueTask> _step;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _stop = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private string? _said;

    /// <param name="name">What is done, for the operator.</param>
    /// <param name="interval">Pause between two times.</param>
    /// <param name="step">Does it once.</param>
    /// <param name="say">Takes a line for the operator.</param>
    public Repeated(string name, TimeSpan interval, Func<CancellationToken, ValueTask> step, Action<string> say)
    {
        (_name, _interval, _step, _say) = (name, interval, step, say);
        _thread = new Thread(Loop) { IsBackground = true, Name = $"signpost {name}" };
        _thread.Start();
    }

    /// <summary>Does it soon.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Stops, and waits for what is being done.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
        _wake.Dispose();
    }

    private void Loop()
    {
        WaitHandle[] either = [_stop.Token.WaitHandle, _wake];
        do
        {
            try
            {
                _step(_stop.Token).AsTask().GetAwaiter().GetResult();
                if (_said is not null)
                {
                    _said = null;
                    _say($"{_name}: it works again");
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, the process has more to do: an exception that leaves a thread ends all of it.
                SayOnce(e.Message);
            }
        }
        while (WaitHandle.WaitAny(either, _interval) != 0);
    }

    private void SayOnce(string what)
    {
        if (_said != what)
        {
            _said = what;
            _say($"{_name}: {what}; tried again every {_interval.TotalSeconds:0.#} s");
        }
    }
}
