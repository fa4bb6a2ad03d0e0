using System.Collections.Concurrent;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Search;

/// <summary>Queries of one shape for as many searches as there are at once, so that a search allocates none. Thread-safe.</summary>
/// <param name="dim">Components of a vector.</param>
/// <param name="type">Type of a component.</param>
/// <param name="metric">Metric of the collection.</param>
public sealed class QueryPool(int dim, ElementType type, Metric metric) : IDisposable
{
    private readonly ConcurrentBag<Query> _free = [];
    private volatile bool _isDisposed;

    /// <summary>A query of the caller's own until it is returned.</summary>
    public Query Rent() => _free.TryTake(out Query? query) ? query : new Query(dim, type, metric);

    /// <summary>Gives <paramref name="query"/> back.</summary>
    public void Return(Query query)
    {
        Check.That(Fits(query.Dim, query.Type, query.Metric));
        _free.Add(query);
        if (_isDisposed)
        {
            Clear();
        }
    }

    /// <summary>Whether its queries have this shape.</summary>
    public bool Fits(int otherDim, ElementType otherType, Metric otherMetric) => (otherDim, otherType, otherMetric) == (dim, type, metric);

    /// <summary>Frees what is here, and what comes back later when it does.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        Clear();
    }

    private void Clear()
    {
        while (_free.TryTake(out Query? query))
        {
            query.Dispose();
        }
    }
}
