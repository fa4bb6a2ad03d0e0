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
        Run stopped = Interrupt(build);
        for (int missed = 1; stopped.ExitCode == 0 && missed < 20; missed++)
        {
            Directory.Delete(_folder.At("mine"), recursive: true); // it had ended before the signal came
            stopped = Interrupt(build);
        }

        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("stopped", stopped.Error);
        Assert.False(File.Exists(_folder.At("mine", "manifest.json")));

        DateTime kept = File.GetLastWriteTimeUtc(Directory.GetFiles(_folder.At("mine"), "shard-0000-*.segment").Single());
        Assert.Equal(0, SignpostProcess.Run(_folder, [.. build, "--l", "2000"]).ExitCode);
        Assert.Equal(kept, File.GetLastWriteTimeUtc(Directory.GetFiles(_folder.At("mine"), "shard-0000-*.segment").Single()));
        Assert.Equal(128, Segments());
        Assert.Empty(Directory.GetFiles(_folder.At("mine"), "*.tmp"));
        Assert.Equal(0, SignpostProcess.Run(_folder, "inspect", "mine").ExitCode);
    }

    /// <summary>Interrupts a build when the first shard's file is there and the others are still to come: the middle of the work.</summary>
    private Run Interrupt(string[] build)
    {
        using SignpostProcess process = SignpostProcess.Start(_folder, [.. build, "--l", "2000"]);
        while (process.IsRunning && Segments() == 0)
        {
            Thread.Sleep(1);
        }

        if (process.IsRunning)
        {
            process.Signal(SignpostProcess.Interrupt);
        }

        return process.End();
    }

    private int Segments() => Directory.Exists(_folder.At("mine")) ? Directory.GetFiles(_folder.At("mine"), "*.segment").Length : 0;
}
