using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

/// <summary><c>signpost train</c> as a process of its own: its result, killed anywhere, and beside a server.</summary>
public sealed class TrainTests : IDisposable
{
    private const int Shards = 6;

    private readonly TestFolder _folder = new();

    public TrainTests()
    {
        Run made = SignpostProcess.Run(
            _folder, "demo", "--folder", ".", "--count", "3000", "--dim", "16", "--shards", $"{Shards}", "--m", "8", "--threads", "1", "--json");
        Assert.True(made.ExitCode == 0, made.Error);
    }

    private string Collection => _folder.At("demo");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_training_tells_what_it_did_and_the_same_again_has_nothing_to_do()
    {
        JsonElement first = Train("--method", "opq", "--m", "4");
        Assert.Equal(("opq", 4, 2), (first.GetProperty("quantizer").GetString(), first.GetProperty("m").GetInt32(), first.GetProperty("version").GetInt32()));
        Assert.True(first.GetProperty("error").GetDouble() > 0);
        Assert.True(first.GetProperty("cpu_seconds").GetDouble() > 0);
        Assert.False(first.GetProperty("was_done").GetBoolean());

        Assert.True(Train("--method", "opq", "--m", "4").GetProperty("was_done").GetBoolean());
        Assert.True(Train("--method", "pq", "--m", "4").GetProperty("error").GetDouble() >= first.GetProperty("error").GetDouble());

        Run inspected = SignpostProcess.Run(_folder, "inspect", Collection, "--json");
        Assert.Equal(0, inspected.ExitCode);
        JsonElement codes = JsonDocument.Parse(inspected.Output).RootElement.GetProperty("codes_files");
        Assert.Equal(Shards, codes.GetArrayLength());
        Assert.All(codes.EnumerateArray(), file => Assert.Equal(3, file.GetProperty("codes").GetProperty("version").GetInt32()));
    }

    [Fact]
    public void A_method_that_is_not_there_and_settings_that_do_not_fit_are_refused_with_nothing_changed()
    {
        string[] before = Files();
        foreach ((string[] settings, string word) in ((string[], string)[])
            [(["--method", "rpq", "--rotated-dim", "17"], "InvalidArgument"), (["--method", "pq", "--m", "17"], "InvalidArgument"), (["--method", "hnsw"], "--method")])
        {
            Run refused = SignpostProcess.Run(_folder, ["train", "--collection", Collection, "--quiet", .. settings]);
            Assert.Equal(2, refused.ExitCode);
            Assert.Contains(word, refused.Error);
        }

        Assert.Equal(before, Files());
    }

    [Fact]
    public void A_training_killed_anywhere_leaves_the_old_codes_or_the_new_ones_bit_for_bit_and_the_same_command_finishes_it()
    {
        string old = Answers();
        string pristine = _folder.At("pristine");
        CopyFolder(Collection, pristine);
        Train("--method", "opq", "--m", "4");
        string trained = Answers();
        string[] finished = Files();
        Assert.NotEqual(old, trained);
        Assert.All((IEnumerable<string>)finished, name => Assert.False(name.EndsWith(".tmp", StringComparison.Ordinal)));

        // The named steps, as files tell them; and any moment.
        (string Step, Func<bool> Reached)[] steps =
        [
            ("the lock is held", () => File.Exists(Path.Combine(Collection, "writer.lock"))),
            ("the quantizer is published", () => Directory.GetFiles(Collection, "*.codebook").Length == 2),
            ("codes are being written", () => Directory.GetFiles(Collection, "*.codes.*.tmp").Length > 0),
            ("the first shard is ready", () => Directory.GetFiles(Collection, "*.codes").Length > Shards),
            ("half of the shards are ready", () => Directory.GetFiles(Collection, "*.codes").Length > Shards + (Shards / 2)),
            ("every shard is ready", () => Directory.GetFiles(Collection, "*.codes").Length == 2 * Shards),
            ("the manifest is being written", () => Directory.GetFiles(Collection, "manifest.json.*.tmp").Length > 0),
            ("the manifest is replaced", () => Version() == 2),
            ("old files are being removed", () => Directory.GetFiles(Collection, "*.codebook").Length == 1 && Version() == 2),
        ];
        var random = new Random(7);
        Func<bool> Moment()
        {
            TimeSpan at = TimeSpan.FromMilliseconds(random.Next(100, 1500));
            long start = Stopwatch.GetTimestamp();
            return () => Stopwatch.GetElapsedTime(start) > at;
        }

        var outcomes = new ConcurrentDictionary<string, int>();
        foreach ((string step, Func<bool> reached) in steps.Concat(Enumerable.Range(0, 6).Select(i => ($"moment {i}", (Func<bool>)(() => false)))))
        {
            Directory.Delete(Collection, recursive: true);
            CopyFolder(pristine, Collection);
            using (SignpostProcess process = SignpostProcess.Start(_folder, "train", "--collection", Collection, "--method", "opq", "--m", "4", "--quiet", "--threads", "1"))
            {
                Func<bool> now = step.StartsWith("moment", StringComparison.Ordinal) ? Moment() : reached;
                while (process.IsRunning && !now())
                {
                    Thread.Yield();
                }

                process.Kill();
            }

            bool isCommitted = Version() == 2;
            Assert.True((isCommitted ? trained : old) == Answers(), $"killed when {step}");
            outcomes.AddOrUpdate(isCommitted ? "new" : "old", 1, (_, count) => count + 1);
            Train("--method", "opq", "--m", "4");
            Assert.Equal(finished, Files());
            Assert.True(trained == Answers(), $"finished after a kill when {step}");
        }

        Assert.True(outcomes.GetValueOrDefault("old") >= 3, string.Join(", ", outcomes)); // kills that came before the commit
    }

    [Fact]
    public void A_training_of_rpq_that_is_killed_while_it_learns_goes_on_where_it_was_and_ends_the_same()
    {
        string[] rpq = ["--method", "rpq", "--m", "4", "--steps", "200", "--training-queries", "200"];
        string pristine = _folder.At("pristine");
        CopyFolder(Collection, pristine);
        string old = Answers();
        JsonElement whole = Train(rpq).GetProperty("rpq");
        string[] finished = Files();
        string trained = Answers();
        Assert.True(whole.GetProperty("end_recall").GetDouble() >= whole.GetProperty("start_recall").GetDouble());
        Assert.Equal(200, whole.GetProperty("steps").GetInt32());
        Directory.Delete(Collection, recursive: true);
        CopyFolder(pristine, Collection);

        using (SignpostProcess process = SignpostProcess.Start(_folder, ["train", "--collection", Collection, "--threads", "1", .. rpq]))
        {
            Assert.True(SpinWait.SpinUntil(() => !process.IsRunning || CheckpointStep() >= 50, TimeSpan.FromSeconds(90)), process.Error);
            process.Kill();
        }

        Assert.True(CheckpointStep() is >= 50 and < 200);
        Assert.Equal(1, Version());
        Assert.Equal(old, Answers());
        JsonElement resumed = Train(rpq).GetProperty("rpq");
        Assert.True(resumed.GetProperty("resumed_at").GetInt32() >= 50);
        Assert.Equal(finished, Files());
        Assert.Equal(trained, Answers());

        // The first number of its payload; -1 while there is none.
        long CheckpointStep()
        {
            Thread.Sleep(5);
            string? file = Directory.GetFiles(Collection, "training-*.checkpoint").FirstOrDefault();
            return file is null ? -1 : BitConverter.ToInt64(File.ReadAllBytes(file), 36);
        }
    }

    [Fact]
    public async Task A_server_turns_to_new_codes_without_failing_a_query()
    {
        using SignpostProcess server = SignpostProcess.Start(_folder, "serve", "--collection", Collection, "--url", "http://127.0.0.1:0", "--threads", "2", "--quiet");
        using var http = new HttpClient { BaseAddress = new Uri(server.FirstLine().Split(" at ")[1]) };
        using var stop = new CancellationTokenSource();
        var failures = new ConcurrentQueue<string>();
        int answered = 0;
        var shapes = new ConcurrentDictionary<string, byte>();
        async Task Ask(int worker)
        {
            string body = $$"""{"vector": [{{string.Join(',', Enumerable.Range(0, 16).Select(i => i * 0.01 * worker))}}], "k": 5, "mode": "{{(worker % 2 == 0 ? "codes" : "auto")}}", "require": "full"}""";
            while (!stop.IsCancellationRequested)
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using HttpResponseMessage response = await http.PostAsync("/v1/collections/demo/search", content);
                string text = await response.Content.ReadAsStringAsync();
                if (!response.IsSuccessStatusCode)
                {
                    failures.Enqueue(text);
                    return;
                }

                Interlocked.Increment(ref answered);
                shapes.TryAdd($"{worker} {text[..text.IndexOf("\"coverage\"", StringComparison.Ordinal)]}", 0);
            }
        }

        Task[] clients = [.. Enumerable.Range(0, 4).Select(Ask)];
        (string Method, int M)[] trainings = [("opq", 4), ("pq", 6), ("opq", 8)];
        for (int i = 0; i < trainings.Length; i++)
        {
            JsonElement result = Train("--method", trainings[i].Method, "--m", $"{trainings[i].M}");
            int version = result.GetProperty("version").GetInt32();
            string line = $"codes version {version} ({trainings[i].Method}, m {trainings[i].M}) are in use";
            Assert.True(SpinWait.SpinUntil(() => Sleep(50) && (server.Error.Contains(line, StringComparison.Ordinal) || !failures.IsEmpty), TimeSpan.FromSeconds(60)), server.Error);
            string about = await http.GetStringAsync("/v1/collections/demo");
            Assert.Contains($"\"quantizer\":\"{trainings[i].Method}\"", about);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Empty(failures);
        Assert.True(answered > 100, $"{answered} queries");
        Assert.Equal(trainings.Length + 1, shapes.Keys.Count(key => key.StartsWith("0 ", StringComparison.Ordinal))); // one answer of each version, no mixture
        server.Signal(SignpostProcess.Terminate);
        Assert.Equal(0, server.End().ExitCode);
    }

    [Fact]
    public void Two_trainings_at_once_are_not_in_each_others_way()
    {
        string[] train = ["train", "--collection", Collection, "--method", "opq", "--m", "4", "--quiet", "--threads", "1"];
        using SignpostProcess one = SignpostProcess.Start(_folder, train);
        using SignpostProcess two = SignpostProcess.Start(_folder, train);
        Run[] ended = [one.End(), two.End()];

        Assert.Contains(ended, run => run.ExitCode == 0);
        Assert.All(ended, run => Assert.True(run.ExitCode == 0 || (run.ExitCode == 2 && run.Error.Contains("(Busy)", StringComparison.Ordinal)), run.Error));
        Assert.True(Train("--method", "opq", "--m", "4").GetProperty("was_done").GetBoolean());
    }

    [Fact]
    public async Task A_server_that_is_asked_trains_and_one_that_was_killed_meanwhile_goes_on_when_it_starts_again()
    {
        string before = Answers();
        SignpostProcess Serve() => SignpostProcess.Start(_folder, "serve", "--collection", Collection, "--url", "http://127.0.0.1:0", "--threads", "1", "--quiet");
        string[] rpq = ["--method", "rpq", "--m", "4", "--steps", "400", "--training-queries", "200", "--seed", "3"];
        using (SignpostProcess server = Serve())
        {
            string url = server.FirstLine().Split(" at ")[1];
            Run opq = SignpostProcess.Run(_folder, "train", "--collection", "demo", "--url", url, "--method", "opq", "--m", "4", "--json", "--quiet");
            Assert.True(opq.ExitCode == 0, opq.Error);
            JsonElement done = JsonDocument.Parse(opq.Output).RootElement;
            Assert.Equal(("done", "local", 2), (done.GetProperty("state").GetString(), done.GetProperty("silo").GetString(), done.GetProperty("codes_version").GetInt32()));

            Run begun = SignpostProcess.Run(_folder, ["train", "--collection", "demo", "--url", url, "--detach", .. rpq]);
            Assert.True(begun.ExitCode == 0, begun.Error);
            Run second = SignpostProcess.Run(_folder, "train", "--collection", "demo", "--url", url, "--method", "pq");
            Run beside = SignpostProcess.Run(_folder, "train", "--collection", Collection, "--method", "pq");
            Assert.All((Run[])[second, beside], run => Assert.Contains("(Busy)", run.Error, StringComparison.Ordinal));
            Assert.True(SpinWait.SpinUntil(() => Sleep(5) && Directory.GetFiles(Collection, "training-*.checkpoint").Length > 0, TimeSpan.FromSeconds(60)));
            server.Kill();
        }

        Assert.Equal(2, Version());
        using (SignpostProcess server = Serve())
        {
            using var http = new HttpClient { BaseAddress = new Uri(server.FirstLine().Split(" at ")[1]) };
            JsonElement training = default;
            Assert.True(SpinWait.SpinUntil(() => Sleep(100) && IsDone(), TimeSpan.FromSeconds(120)), $"{training} {server.Error}");
            Assert.Equal((2, 1, 3), (training.GetProperty("number").GetInt32(), training.GetProperty("resumed").GetInt32(), training.GetProperty("codes_version").GetInt32()));
            Assert.True(training.GetProperty("points").GetArrayLength() > 1);
            Assert.Contains("\"quantizer\":\"rpq\"", await http.GetStringAsync("/v1/collections/demo"));

            bool IsDone()
            {
                using JsonDocument cluster = JsonDocument.Parse(http.GetStringAsync("/v1/cluster").GetAwaiter().GetResult());
                training = cluster.RootElement.GetProperty("trainings").EnumerateArray().FirstOrDefault().Clone();
                return training.ValueKind == JsonValueKind.Object && training.GetProperty("state").GetString() == "done";
            }

            server.Signal(SignpostProcess.Terminate);
            Assert.Equal(0, server.End().ExitCode);
        }

        Assert.Equal(3, Version());
        Assert.NotEqual(before, Answers());
    }

    [Fact]
    public void A_folder_of_another_name_is_served_but_not_trained_and_two_of_one_name_are_not_served_together()
    {
        string copy = _folder.At("copy");
        CopyFolder(Collection, copy);
        Run both = SignpostProcess.Run(_folder, "serve", "--data-folder", ".", "--url", "http://127.0.0.1:0", "--quiet");
        Assert.Equal(2, both.ExitCode);
        Assert.Contains("(AlreadyExists)", both.Error, StringComparison.Ordinal);

        using SignpostProcess server = SignpostProcess.Start(_folder, "serve", "--collection", copy, "--url", "http://127.0.0.1:0", "--quiet");
        string url = server.FirstLine().Split(" at ")[1];
        string[] before = Files();
        foreach (string what in (string[])["--detach", "--stop"])
        {
            Run refused = SignpostProcess.Run(_folder, "train", "--collection", "demo", "--url", url, what);
            Assert.Equal(2, refused.ExitCode);
            Assert.True(what == "--stop" || refused.Error.Contains("a folder of another name, copy", StringComparison.Ordinal), refused.Error);
        }

        Assert.Equal(before, Files()); // those of the folder beside it, which has the name
    }

    private static bool Sleep(int ms)
    {
        Thread.Sleep(ms);
        return true;
    }

    private JsonElement Train(params string[] settings)
    {
        Run run = SignpostProcess.Run(_folder, ["train", "--collection", Collection, "--threads", "1", "--json", "--quiet", .. settings]);
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonDocument.Parse(run.Output).RootElement;
    }

    /// <summary>Ids and distances of 1000 queries on codes; what the search did and took is left out.</summary>
    private string Answers()
    {
        Run run = SignpostProcess.Run(
            _folder, "search", "--collection", Collection, "--queries", "queries.fvecs", "--k", "3", "--mode", "codes", "--json", "--quiet");
        Assert.True(run.ExitCode == 0, run.Error);
        return string.Join('\n', JsonDocument.Parse(run.Output).RootElement.GetProperty("results").EnumerateArray()
            .Select(item => $"{item.GetProperty("ids").GetRawText()} {item.GetProperty("distances").GetRawText()}"));
    }

    private string[] Files() => [.. Directory.GetFiles(Collection).Select(path => Path.GetFileName(path)).Where(name => Path.GetExtension(name) != ".lock").Order(StringComparer.Ordinal)];

    private int Version()
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Collection, "manifest.json")));
        return manifest.RootElement.GetProperty("manifest").GetProperty("quantizer").GetProperty("info").GetProperty("version").GetInt32();
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }

        File.Delete(Path.Combine(to, "writer.lock"));
    }
}
