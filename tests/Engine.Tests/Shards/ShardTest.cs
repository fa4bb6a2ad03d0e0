using System.Text.Json;
using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

/// <summary>A folder of its own for each test, and small collections in it.</summary>
public abstract class ShardTest : IDisposable
{
    protected const int Dim = 12;

    protected string Root { get; } = Directory.CreateTempSubdirectory("signpost-shards-").FullName;

    protected string Folder => Path.Combine(Root, "collection");

    protected static IDisk Disk => FileDisk.Instance;

    public virtual void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static BuildOptions Options(int shards = 1) =>
        new() { Name = "test", Shards = shards, Graph = new GraphOptions { R = 16, L = 40 } };

    /// <summary>Random bytes below <paramref name="range"/>: a small range makes many equal distances.</summary>
    internal static VectorBlock Bytes(int count, int range = 256, ulong seed = 1)
    {
        VectorBlock block = VectorBlock.Allocate(count, Dim, ElementType.UInt8);
        var random = new Seeded(seed, 0);
        for (int row = 0; row < count; row++)
        {
            unsafe
            {
                for (int i = 0; i < Dim; i++)
                {
                    block.Row(row)[i] = (byte)random.Next(range);
                }
            }
        }

        return block;
    }

    protected CollectionManifest Build(VectorBlock vectors, BuildOptions options, ulong[]? ids = null, string? folder = null) =>
        CollectionBuilder.Build(Disk, folder ?? Folder, new BuildInput(vectors, ids), options, Work.Quiet).OrThrow();

    protected Collection Open(CollectionOptions? options = null) =>
        Collection.Open(Disk, Folder, options ?? new CollectionOptions(), Work.Quiet).OrThrow();

    /// <summary>The k nearest rows, by the dullest search.</summary>
    internal static Hit[] Nearest(VectorBlock vectors, ReadOnlySpan<byte> query, int k, Func<long, ulong>? idOf = null)
    {
        var hits = new List<Hit>();
        for (long row = 0; row < vectors.Count; row++)
        {
            float sum = 0;
            for (int i = 0; i < vectors.Dim; i++)
            {
                float difference = vectors.RowSpan(row)[i] - (float)query[i];
                sum += difference * difference;
            }

            hits.Add(new Hit(idOf?.Invoke(row) ?? (ulong)row, sum));
        }

        hits.Sort();
        return [.. hits.Take(k)];
    }

    /// <summary>
    /// Name and bytes of every file in a folder but the lock; of a manifest all but what building took, which is never twice the same.
    /// </summary>
    protected static Dictionary<string, byte[]> FilesIn(string folder) => NamesIn(folder).ToDictionary(
        name => name,
        name => name == CollectionManifest.FileName
            ? JsonSerializer.SerializeToUtf8Bytes(ManifestFile.Open(Disk, folder).OrThrow() with { Cost = null })
            : File.ReadAllBytes(Path.Combine(folder, name)));

    /// <summary>Name of every file in a folder but the locks of its writers, which stay.</summary>
    protected static IEnumerable<string> NamesIn(string folder) => Disk.List(folder).Where(name => Path.GetExtension(name) != ".lock");
}
