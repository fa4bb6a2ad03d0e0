namespace Signpost.Engine.Base;

/// <summary>One scratch object per worker of a <see cref="Work"/>, made on first use and disposed together.</summary>
public sealed class PerWorker<T>(int workers, Func<T> make) : IDisposable
    where T : class, IDisposable
{
    private readonly T?[] _items = new T?[workers];

    /// <summary>The scratch of a worker; only that worker's thread may ask.</summary>
    public T this[int worker] => _items[worker] ??= make();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (T? item in _items)
        {
            item?.Dispose();
        }
    }
}
