using System.CommandLine;
using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;
using Signpost.Silo.Cli.Report;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost build</c>: vectors in, a collection's folder out.</summary>
internal static class BuildCommand
{
    private const double MemoryShare = 0.9; // of the machine's: the rest is for the system and the mapped input

    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "build",
        "Build a collection: graph, codes and vectors in one folder. Stopped or killed, it leaves nothing half-written: the same command goes on.",
        cancel,
        [
            Settings.Data, Settings.Out, Settings.Name, Settings.DataFolder, Settings.MetricOf, Settings.Shards, Settings.Threads, Settings.R,
            Settings.BuildL,
            Settings.C, Settings.Codes, Settings.M, Settings.Codewords, Settings.Seed, Settings.Overwrite, Settings.MemoryLimitMb, Settings.Json,
        ],
        Run);

    private static void Run(Session session)
    {
        string data = session.Get(Settings.Data)!;
        string? target = session.Get(Settings.Out);
        string name = session.Get(Settings.Name) ?? NameOf(target ?? data);
        string folder = target ?? Path.Combine(session.Get(Settings.DataFolder)!, name);
        using VectorBlock vectors = VectorFile.Open(data);
        OutputPath.MustTakeFolder(target is null ? Settings.DataFolder.Name : Settings.Out.Name, folder);
        BuildOptions options = Options(session, name, vectors.Dim, session.Get(Settings.Shards), session.Get(Settings.BuildL));
        long start = Stopwatch.GetTimestamp();
        CollectionManifest manifest = CollectionBuilder.Build(FileDisk.Instance, folder, new BuildInput(vectors), options, session.Work).OrThrow();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var report = new BuildReport(name, folder, manifest.Count, manifest.Dim, manifest.Shards.Count, seconds, BytesIn(folder));
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.BuildReport);
            return;
        }

        session.Say($"built {name}: {PageText.Number(report.Vectors, "N0")} vectors of dim {report.Dim} in {PageText.Plural(report.Shards, "shard")}, "
            + $"{PageText.Number(seconds, "N1")} s, {PageText.Number(report.Bytes / 1048576.0, "N1")} MiB in {folder}");
        session.Say("");
        session.Say("next:");
        session.Say($"  {Shell.Line("inspect", folder)}");
        session.Say($"  {Shell.Line("serve", "--collection", folder)}");
    }

    /// <summary>The options of a build as the settings give them.</summary>
    internal static BuildOptions Options(Session session, string name, int dim, int shards, int l)
    {
        ulong seed = (ulong)session.Get(Settings.Seed);
        int limitMb = session.Get(Settings.MemoryLimitMb);
        int m = session.Get(Settings.M);
        var defaults = new BuildOptions { Name = name };
        return defaults with
        {
            Shards = shards,
            Metric = session.Get(Settings.MetricOf),
            Graph = defaults.Graph with { R = session.Get(Settings.R), L = l, C = session.Get(Settings.C), Seed = seed },
            Quantizer = session.Get(Settings.Codes) switch
            {
                CodeKind.None => null,
                CodeKind.Pq => Engine.Quantizers.QuantizerKind.Pq,
                CodeKind.Opq => Engine.Quantizers.QuantizerKind.Opq,
                _ => throw new ArgumentOutOfRangeException(nameof(session)),
            },
            Codes = defaults.Codes with { M = session.Given(Settings.M) ? m : Math.Min(m, dim), K = session.Get(Settings.Codewords), Seed = seed },
            MemoryLimit = limitMb == Settings.MemoryLimitMb.Fallback ? MemoryOfMachine : (long)limitMb << 20,
            Overwrite = session.Get(Settings.Overwrite),
        };
    }

    private static long MemoryOfMachine => (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * MemoryShare);

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    private static long BytesIn(string folder) => new DirectoryInfo(folder).EnumerateFiles().Sum(f => f.Length);
}
