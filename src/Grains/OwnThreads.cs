using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;

namespace Signpost.Grains;

/// <summary>
/// Runs work that takes long and blocks on threads of its own, started when there is something to do: it holds up neither searches nor the
/// thread pool, on which the network lives. What comes while all threads are busy waits.
/// </summary>
/// <param name="most">Most threads.</param>
internal sealed class OwnThreads(int most)
{
    /// <summary>Most that may wait: a training asks at most for all shards of a collection at once.</summary>
    private const int MostWaiting = Slots.Count;

    private readonly Queue<Task> _waiting = [];
    private int _running;

    /// <summary>The result of <paramref name="work"/>, or what it threw; <see cref="ProblemException"/> where too much waits.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var task = new Task<T>(work, TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_waiting)
        {
            if (_waiting.Count == MostWaiting)
            {
                var busy = new Problem(ProblemCode.Busy, "calls of trainings", $"{MostWaiting} waiting", "fewer", "Try again when other trainings have ended.");
                return Task.FromException<T>(new ProblemException(busy));
            }

            _waiting.Enqueue(task);
            if (_running == most)
            {
                return task;
            }

            _running++;
        }

        new Thread(Loop) { IsBackground = true, Name = "signpost training" }.Start();
        return task;
    }

    private void Loop()
    {
        while (Next() is { } task)
        {
            task.RunSynchronously(TaskScheduler.Default);
        }
    }

    private Task? Next()
    {
        lock (_waiting)
        {
            if (!_waiting.TryDequeue(out Task? task))
            {
                _running--;
            }

            return task;
        }
    }
}
