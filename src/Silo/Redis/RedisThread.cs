using System.Collections.Concurrent;

namespace Signpost.Silo.Redis;

/// <summary>
/// The one thread that speaks with Redis: calls of all threads go through its queue, one after the other. A call ends within the time of
/// <see cref="RedisOptions.Timeout"/> counted from when it was asked for, also behind others that wait for a Redis that is silent.
/// </summary>
/// <remarks>
/// Nothing here waits for the thread pool. Who must not depend on the pool either, such as the thread that renews leases, blocks on the
/// task: the result is set by this thread, and wakes the waiter directly.
/// </remarks>
internal sealed class RedisThread : IDisposable
{
    private readonly BlockingCollection<IRequest> _queue = [];
    private readonly RedisLink _link;
    private readonly TimeSpan _timeout;
    private readonly Thread _thread;

    /// <summary>Starts the thread; connects when first asked.</summary>
    public RedisThread(RedisOptions options)
    {
        _timeout = options.Timeout;
        _link = new RedisLink(options);
        _thread = new Thread(Run) { IsBackground = true, Name = "redis" };
        _thread.Start();
    }

    private interface IRequest
    {
        void Run(RedisLink link);
    }

    /// <summary>Runs <paramref name="work"/> on the thread.</summary>
    /// <exception cref="ObjectDisposedException">The thread was ended.</exception>
    public Task<T> Ask<T>(Func<RedisLink, T> work, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var request = new Request<T>(work, Deadline.After(_timeout), cancel);
        try
        {
            _queue.Add(request, CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            throw new ObjectDisposedException(nameof(RedisThread));
        }

        return request.Task;
    }

    /// <summary>Lets the calls that wait end, then the thread.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
    }

    private void Run()
    {
        foreach (IRequest request in _queue.GetConsumingEnumerable())
        {
            request.Run(_link);
        }

        _link.Dispose();
    }

    private sealed class Request<T> : TaskCompletionSource<T>, IRequest
    {
        private readonly Func<RedisLink, T> _work;
        private readonly Deadline _deadline;
        private readonly CancellationTokenRegistration _registration;

        public Request(Func<RedisLink, T> work, Deadline deadline, CancellationToken cancel)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            (_work, _deadline) = (work, deadline);
            _registration = cancel.UnsafeRegister(static (request, token) => ((Request<T>)request!).TrySetCanceled(token), this);
        }

        public void Run(RedisLink link)
        {
            if (!Task.IsCompleted)
            {
                link.Deadline = _deadline;
                try
                {
                    TrySetResult(_work(link));
                }
                catch (Exception e) // whatever it is, it is the caller's, and this thread goes on
                {
                    TrySetException(e);
                }
            }

            _registration.Unregister();
        }
    }
}
