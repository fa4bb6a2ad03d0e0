using System.CommandLine;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;
using Signpost.Silo.Cli.Report;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost train</c>: new codes for a collection that is there, and may be served meanwhile.</summary>
internal static class TrainCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "train",
        "Give a collection new codes, learned from its own vectors; graph and vectors stay. Servers turn to them without an interruption. "
            + "Stopped or killed, it leaves the old codes in use: the same command goes on. In a cluster (--url, or its runtime in cluster.yaml) a silo trains, "
            + "another one goes on when that dies, and this command only shows how.",
        cancel,
        [
            Settings.Collection, Settings.DataFolder, Settings.Method, Settings.M, Settings.Codewords, Settings.Profile, .. RpqSettings.All,
            Settings.Seed, Settings.Threads, .. ClusterTraining.Settings, Settings.Json,
        ],
        session =>
        {
            if (ClusterTraining.UrlOf(session) is { } url)
            {
                ClusterTraining.Run(session, url);
            }
            else
            {
                Run(session);
            }
        });

    private static void Run(Session session)
    {
        Work work = session.Work;
        string folder = session.CollectionFolder(session.Get(Settings.Collection)!);
        using OpenCollection collection = OpenCollection.Open(folder, VectorPlace.Mapped, requireAll: true, work);
        TrainingResult result = collection.Train(Method(session, collection.Dim), work).OrThrow();
        CodesInfo codes = result.Manifest.Quantizer!.Info;
        var report = new TrainReport
        {
            Collection = result.Manifest.Name,
            Folder = folder,
            Quantizer = collection.Facts.Quantizer,
            M = codes.M,
            Codewords = codes.K,
            CodeBytes = codes.CodeBytes,
            Version = codes.Version,
            Sampled = result.Sampled,
            Error = result.Error,
            WasDone = result.WasDone,
            Seconds = result.Cost.Seconds,
            CpuSeconds = result.Cost.CpuSeconds,
            Rpq = RpqReport.Of(result.Rpq),
        };
        if (session.Json)
        {
            ReportJson.Print(report, ReportJson.Default.TrainReport);
            return;
        }

        session.Say($"{(report.WasDone ? "there already" : "trained")}: codes version {report.Version} of {report.Collection}, {report.Quantizer}, "
            + $"{PageText.Plural(report.CodeBytes, "byte")} a vector, mean squared error of nearest codewords {PageText.Number(report.Error, "G4")} over "
            + $"{PageText.Number(report.Sampled, "N0")} vectors, {PageText.Number(report.Seconds, "N1")} s, processor {PageText.Number(report.CpuSeconds, "N1")} s");
        if (report.Rpq is { } rpq)
        {
            session.Say(Words(rpq));
        }
    }

    private static string Words(RpqReport rpq) =>
        $"held-out recall@10 {PageText.Number(rpq.StartRecall, "N4")} -> {PageText.Number(rpq.EndRecall, "N4")}, next-hop agreement "
            + $"{PageText.Number(rpq.StartAgreement, "N4")} -> {PageText.Number(rpq.EndAgreement, "N4")}, best after {rpq.BestStep} of "
            + $"{PageText.Plural(rpq.Steps, "step")} of {PageText.Number(rpq.MsPerStep, "N1")} ms"
            + (rpq.ResumedAt is { } step ? $", went on from step {step}" : "")
            + (rpq.Notice is { } notice ? $". {notice}" : "");

    /// <summary>The method as the settings give it.</summary>
    private static QuantizerMethod Method(Session session, int dim)
    {
        int m = session.Get(Settings.M);
        var options = new QuantizerOptions
        {
            M = session.Given(Settings.M) ? m : Math.Min(m, dim),
            K = session.Get(Settings.Codewords),
            Seed = (ulong)session.Get(Settings.Seed),
        };
        return session.Get(Settings.Method) switch
        {
            QuantizerKind.Pq or QuantizerKind.Opq => new VectorQuantizerMethod(session.Get(Settings.Method), options),
            QuantizerKind.Rpq => new RpqMethod(Rpq(session, options)),
            _ => throw new ArgumentOutOfRangeException(nameof(session)),
        };
    }

    private static RpqOptions Rpq(Session session, QuantizerOptions codes)
    {
        RpqOptions profile = session.Get(Settings.Profile) == RpqProfile.Best ? RpqOptions.Best : RpqOptions.Faithful;
        return RpqSettings.Apply(session, profile) with { M = codes.M, K = codes.K, Seed = codes.Seed };
    }
}
