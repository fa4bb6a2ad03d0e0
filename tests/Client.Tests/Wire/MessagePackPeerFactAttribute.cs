using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Signpost.Client.Tests.Wire;

/// <summary>A test that compares with Python's msgpack; skipped with a reason where that is absent.</summary>
public sealed class MessagePackPeerFactAttribute : FactAttribute
{
    public MessagePackPeerFactAttribute()
    {
        if (!MessagePackPeer.IsThere)
        {
            Skip = "no /usr/bin/python3 that can import msgpack; install python3-msgpack";
        }
    }
}

/// <summary>Python's msgpack in a process of its own.</summary>
internal static class MessagePackPeer
{
    private static readonly Lazy<bool> Probe = new(() => TryRun([], out _, "probe"));

    public static bool IsThere => Probe.Value;

    /// <summary>What msgpack_peer.py writes when it is given <paramref name="input"/>.</summary>
    public static byte[] Run(byte[] input, params string[] arguments)
    {
        Assert.True(TryRun(input, out byte[] output, arguments));
        return output;
    }

    private static bool TryRun(byte[] input, out byte[] output, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(SourceFolder(), "msgpack_peer.py"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        output = [];
        try
        {
            using Process process = Process.Start(start)!;
            process.BeginErrorReadLine();
            using (Stream into = process.StandardInput.BaseStream) // it reads all before it writes
            {
                into.Write(input);
            }

            using var copy = new MemoryStream();
            process.StandardOutput.BaseStream.CopyTo(copy);
            process.WaitForExit();
            output = copy.ToArray();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // no such program
        }
    }

    private static string SourceFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
