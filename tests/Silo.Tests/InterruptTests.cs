using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class InterruptTests(DemoCollection demo) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_interrupted_build_ends_with_130_and_the_same_command_completes_it()
    {
        string[] build = ["build", "--data", demo.Base, "--out", "mine", "--shards", "128", "--m", "8", "--threads", "1"];
        using (SignpostProcess process = SignpostProcess.Start(_folder, [.. build, "--l", "2000"]))
        {
            // The first shard's file is there and the others are still to come: the middle of the work.
            while (process.IsRunning && Segments() == 0)
            {
                Thread.Sleep(5);
            }

            process.Signal(SignpostProcess.Interrupt);
            Run stopped = process.End();
            Assert.Equal(130, stopped.ExitCode);
            Assert.Contains("stopped", stopped.Error);
            Assert.False(File.Exists(_folder.At("mine", "manifest.json")));
        }

        DateTime kept = File.GetLastWriteTimeUtc(Directory.GetFiles(_folder.At("mine"), "shard-0000-*.segment").Single());
        Assert.Equal(0, SignpostProcess.Run(_folder, [.. build, "--l", "2000"]).ExitCode);
        Assert.Equal(kept, File.GetLastWriteTimeUtc(Directory.GetFiles(_folder.At("mine"), "shard-0000-*.segment").Single()));
        Assert.Equal(128, Segments());
        Assert.Empty(Directory.GetFiles(_folder.At("mine"), "*.tmp"));
        Assert.Equal(0, SignpostProcess.Run(_folder, "inspect", "mine").ExitCode);
    }

    private int Segments() => Directory.Exists(_folder.At("mine")) ? Directory.GetFiles(_folder.At("mine"), "*.segment").Length : 0;
}
