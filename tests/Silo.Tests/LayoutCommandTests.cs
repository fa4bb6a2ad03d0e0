using System.Text.Json;
using Signpost.Engine.Tests.Support;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

/// <summary>Changes of shards by processes of their own that are killed (SIGKILL) at each named step, as files tell it.</summary>
public sealed class LayoutCommandTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public LayoutCommandTests()
    {
        Run made = SignpostProcess.Run(
            _folder, "demo", "--folder", ".", "--count", "3000", "--dim", "16", "--shards", "2", "--m", "8", "--threads", "1", "--json");
        Assert.True(made.ExitCode == 0, made.Error);
    }

    private string Collection => _folder.At("demo");

    public void Dispose() => _folder.Dispose();

    [LongFact]
    [Trait("Long", "true")]
    public void A_split_and_its_compaction_killed_at_any_step_leave_the_old_shards_or_the_new_ones_and_are_finished_by_the_next_command() => KillAtEach(
        ["split", "demo/", "0", "--compact", "--sweep"], finish: ["split", "demo/", "0"], shards: 3);

    [LongFact]
    [Trait("Long", "true")]
    public void A_merge_killed_at_any_step_leaves_the_old_shards_or_the_new_one_and_is_finished_by_the_next_command() => KillAtEach(
        ["merge", "demo/", "0", "1", "--sweep"], finish: ["merge", "demo/", "0", "1"], shards: 1);

    private void KillAtEach(string[] command, string[] finish, int shards)
    {
        string expected = Answers();
        string pristine = _folder.At("pristine");
        Copy(Collection, pristine);
        (string Step, Func<bool> Reached)[] steps =
        [
            ("the lock is held", () => File.Exists(Path.Combine(Collection, "writer.lock"))),
            ("the manifest is being written", () => Count("manifest.json.*.tmp") > 0),
            ("the manifest names other shards", () => Manifest().Contains("\"replaced\"", StringComparison.Ordinal)),
            ("a segment is being written", () => Count("*.segment.*.tmp") > 0),
            ("a new segment is there", () => Count("*.segment") > 2),
            ("codes are being written", () => Count("*.codes.*.tmp") > 0),
            ("new codes are there", () => Count("*.codes") > 2),
            ("no shard is a part of a segment any more", () => Manifest() is var m && m.Contains("\"replaced\"", StringComparison.Ordinal) && !m.Contains("\"whole\"", StringComparison.Ordinal)),
            ("former shards are forgotten", () => Manifest().Contains("\"replaced\":[]", StringComparison.Ordinal)),
        ];
        int killed = 0;
        foreach ((string step, Func<bool> reached) in steps)
        {
            Directory.Delete(Collection, recursive: true);
            Copy(pristine, Collection);
            using (SignpostProcess process = SignpostProcess.Start(_folder, [.. command, "--threads", "1", "--quiet"]))
            {
                while (process.IsRunning && !reached())
                {
                    Thread.Yield();
                }

                killed += process.IsRunning ? 1 : 0;
                process.Kill();
            }

            Assert.True(expected == Answers(), $"killed when {step}");
            if (!Manifest().Contains("\"replaced\"", StringComparison.Ordinal))
            {
                Finish(finish);
            }

            Finish(["compact", "demo/", "--sweep"]);
            Assert.Equal(shards, JsonDocument.Parse(Manifest()).RootElement.GetProperty("manifest").GetProperty("shards").GetArrayLength());
            Assert.Equal((shards, shards), (Count("*.segment"), Count("*.codes")));
            Assert.Equal(0, Count("*.tmp"));
            Assert.True(expected == Answers(), $"finished after a kill when {step}");
        }

        Assert.True(killed >= 4, $"{killed} of {steps.Length} were killed");
    }

    private void Finish(string[] command)
    {
        Run run = SignpostProcess.Run(_folder, [.. command, "--threads", "1", "--json", "--quiet"]);
        Assert.True(run.ExitCode == 0, run.Error);
    }

    private int Count(string pattern) => Directory.GetFiles(Collection, pattern).Length;

    private string Manifest() => File.ReadAllText(Path.Combine(Collection, "manifest.json"));

    /// <summary>Exact answers do not depend on graphs: no vector is lost, none is there twice.</summary>
    private string Answers()
    {
        Run run = SignpostProcess.Run(
            _folder, "search", "--collection", Collection, "--queries", "queries.fvecs", "--k", "10", "--mode", "exact", "--json", "--quiet");
        Assert.True(run.ExitCode == 0, run.Error);
        return string.Join('\n', JsonDocument.Parse(run.Output).RootElement.GetProperty("results").EnumerateArray()
            .Select(item => $"{item.GetProperty("ids").GetRawText()} {item.GetProperty("distances").GetRawText()}"));
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from).Where(file => Path.GetExtension(file) != ".lock"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
