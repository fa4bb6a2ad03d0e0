namespace Signpost.Cluster.Tests.Support;

/// <summary>Things that end together.</summary>
internal sealed class Disposables : IDisposable
{
    private readonly List<IDisposable> _all = [];

    public IReadOnlyList<IDisposable> All => _all;

    public T Add<T>(T one)
        where T : IDisposable
    {
        _all.Add(one);
        return one;
    }

    public void Dispose() => _all.ForEach(one => one.Dispose());
}
