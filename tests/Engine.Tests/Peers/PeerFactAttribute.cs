using System.Diagnostics;

namespace Signpost.Engine.Tests.Peers;

/// <summary>A test that runs a peer's driver, skipped with a reason where the peer is not installed.</summary>
public sealed class PeerFactAttribute : FactAttribute
{
    /// <summary>Probes once, when tests are discovered. <paramref name="peer"/> is hnswlib or faiss.</summary>
    public PeerFactAttribute(string peer)
    {
        string probe = peer == "hnswlib"
            ? "command -v g++ && command -v make && echo '#include <hnswlib/hnswlib.h>' | g++ -E -x c++ -"
            : "/usr/bin/python3 -c 'import faiss, numpy'";
        if (Shell.Run(probe).ExitCode != 0)
        {
            Skip = $"{peer} is not installed (bench/Peers/README.md says what it needs)";
        }
    }
}

/// <summary>Runs a line of shell.</summary>
internal static class Shell
{
    /// <summary>Its exit code and what it printed; exit code 127 where there is no shell.</summary>
    public static (int ExitCode, string Output, string Errors) Run(string line)
    {
        if (!File.Exists("/bin/sh"))
        {
            return (127, "", "no /bin/sh");
        }

        var start = new ProcessStartInfo("/bin/sh", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.GetAwaiter().GetResult());
    }
}
