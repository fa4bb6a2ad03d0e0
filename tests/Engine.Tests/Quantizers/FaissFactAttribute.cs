using System.Diagnostics;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Quantizers;

/// <summary>A test that compares with faiss on real data; skipped with a reason where either is absent.</summary>
public sealed class FaissFactAttribute : FactAttribute
{
    public FaissFactAttribute(string relativePath)
    {
        if (!RealData.TryGet(relativePath, out _))
        {
            Skip = $"real data is absent: {relativePath}; set SIGNPOST_DATA to its folder";
        }
        else if (Faiss.Python is null)
        {
            Skip = "no python3 here can import faiss; install python3-faiss";
        }
    }
}

/// <summary>faiss in a process of its own.</summary>
internal static class Faiss
{
    private static readonly Lazy<string?> FirstThatImports = new(() =>
        new[] { "python3", "/usr/bin/python3" }.FirstOrDefault(python => Run(python, "check") is not null));

    /// <summary>A Python that can import faiss (a second one on the path may hide the system's), or null.</summary>
    public static string? Python => FirstThatImports.Value;

    /// <summary>Mean squared error of faiss's product quantizer; rotations 0: without OPQ.</summary>
    public static double MeanSquaredError(string vectors, int m, int rotations)
    {
        string? output = Run(Python!, vectors, $"{m}", $"{rotations}");
        Assert.NotNull(output);
        return double.Parse(output);
    }

    // What the script printed, or null where it could not be run to its end.
    private static string? Run(string python, params string[] arguments)
    {
        string script = Path.Combine(SourceFolder(), "faiss_pq.py");
        var start = new ProcessStartInfo(python, [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OMP_NUM_THREADS"] = "1"; // threads that spin for work are slow on a busy machine
        try
        {
            using Process process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no such program
        }
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
