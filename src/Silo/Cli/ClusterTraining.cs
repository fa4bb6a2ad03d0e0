using System.Diagnostics;
using Signpost.Client;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Http;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost train</c> in a cluster: a silo trains, and this shows how it goes.</summary>
internal static class ClusterTraining
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(300);

    private static readonly Setting<string?> Url = SettingKinds.Text(
        "url", "Server of the collection, alone or a silo of a cluster: it trains.", "http://HOST:PORT or https://HOST:PORT", null, "Without it a folder is trained here.");

    private static readonly Setting<bool> Stop = SettingKinds.Flag("stop", "Stop the training of the collection: the codes before stay in use.");

    private static readonly Setting<bool> Detach = SettingKinds.Flag("detach", "Begin it in the server, and do not wait for its end.");

    /// <summary>What a training in a cluster may be told beside how to train.</summary>
    public static readonly Setting[] Settings = [Url, Stop, Detach, SecuritySettings.KeyFile, SecuritySettings.Authorities];

    /// <summary>The silo to ask: the one that is named, or this machine's where its settings file is a cluster's; null: the collection is a folder.</summary>
    public static string? UrlOf(Session session) => session.Get(Url)
        ?? (session.Get(Silo.Settings.Runtime) != RuntimeKind.Embedded && !Directory.Exists(session.Get(Silo.Settings.Collection)) ? Silo.Settings.AskedUrl.Fallback : null);

    /// <summary>Begins a training, or stops one, and shows it until its end.</summary>
    public static void Run(Session session, string url)
    {
        using var calls = new AdminCalls(session, url);
        string collection = session.Get(Silo.Settings.Collection)!;
        if (session.Get(Stop))
        {
            Ask(calls, url, collection, calls.Cluster.Trainings.FirstOrDefault(t => t.Collection == collection && t.State == "running")?.Silo, new TrainBody { Collection = collection, Stop = true });
            session.Say($"training of {collection} is stopped: the codes before stay in use");
            return;
        }

        TrainingReply begun = Ask(calls, url, collection, null, BodyOf(session, collection));
        if (session.Get(Detach))
        {
            Tell(session, calls.Look().Trainings.FirstOrDefault(t => t.Collection == collection && t.Number == begun.Number), $"training {begun.Number} of {collection} runs in {begun.Silo}");
            return;
        }

        TrainingInfo ended = Follow(session, calls, collection, begun.Number);
        if (ended.State is not "done")
        {
            throw new ProblemException(new Problem(
                ProblemCode.NotSupported, $"training of {collection}", $"{ended.State}: {ended.Reason ?? "no reason was told"}", "a training that ends well",
                "The codes before are in use. Mend what it says, and start the same command again."));
        }

        Tell(session, ended, $"trained: queries of {collection} use codes version {ended.CodesVersion}, {ended.Method}, mean squared error of nearest codewords "
            + $"{PageText.Number(ended.Error ?? 0, "G4")} over {PageText.Number(ended.Sampled, "N0")} vectors, {PageText.Number(ended.Seconds, "N1")} s in {ended.Silo}"
            + (ended.StartRecall is { } start ? $", held-out recall@10 {PageText.Number(start, "N4")} -> {PageText.Number(ended.BestRecall ?? start, "N4")}" : "")
            + (ended.Resumed > 0 ? $", went on {ended.Resumed} times after a silo was lost" : ""));
    }

    private static TrainingReply Ask(AdminCalls calls, string url, string collection, string? silo, TrainBody body) => calls.Post(
        silo is null || calls.Cluster.Runtime == "embedded" ? url : calls.SiloOf(silo).Url, AdminApi.TrainPath, body with { Collection = collection }, Wire.Json.TrainBody, Wire.Json.TrainingReply);

    private static TrainBody BodyOf(Session session, string collection)
    {
        int? Given(Setting<int> setting) => session.Given(setting) ? session.Get(setting) : null;
        return new TrainBody
        {
            Collection = collection,
            Method = session.Get(Silo.Settings.Method).ToString().ToLowerInvariant(),
            M = Given(Silo.Settings.M),
            K = Given(Silo.Settings.Codewords),
            Profile = session.Get(Silo.Settings.Profile).ToString().ToLowerInvariant(),
            Steps = Given(Silo.Settings.Steps),
            TrainingQueries = Given(Silo.Settings.TrainingQueries),
            RotatedDim = Given(Silo.Settings.RotatedDim),
            Seed = Given(Silo.Settings.Seed),
            Threads = Given(Silo.Settings.Threads),
        };
    }

    /// <summary>Shows the training until it has ended; Ctrl-C ends only the showing.</summary>
    private static TrainingInfo Follow(Session session, AdminCalls calls, string collection, long number)
    {
        (string Step, long At) shown = ("", 0);
        while (true)
        {
            TrainingInfo? now = calls.Look().Trainings.FirstOrDefault(t => t.Collection == collection && t.Number >= number);
            if (now is not null && now.State != "running")
            {
                return now;
            }

            if (now is not null)
            {
                string phase = now.Phase.Length > 0 ? $"{now.Step} in {now.Silo}: {now.Phase}" : $"{now.Step} in {now.Silo}";
                shown = shown.Step == phase ? shown : (phase, Stopwatch.GetTimestamp());
                string detail = now.Reason ?? (now.BestRecall is { } recall ? $"held-out recall@10 {PageText.Number(recall, "N4")}" : "");
                if (now.PhaseDone < now.PhaseTotal || now.PhaseTotal == 0)
                {
                    session.Report(new PhaseProgress(phase, now.PhaseDone, Math.Max(1, now.PhaseTotal), Stopwatch.GetElapsedTime(shown.At), detail));
                }
            }

            session.Cancel.WaitHandle.WaitOne(Interval);
            session.Cancel.ThrowIfCancellationRequested();
        }
    }

    private static void Tell(Session session, TrainingInfo? training, string words)
    {
        if (session.Json && training is not null)
        {
            ReportJson.Print(training, ReportJson.Default.TrainingInfo);
        }
        else
        {
            session.Say(words);
        }
    }
}
