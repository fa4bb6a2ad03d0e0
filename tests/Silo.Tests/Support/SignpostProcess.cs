using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Signpost.Silo.Tests.Support;

/// <summary>What a run of the program left.</summary>
internal sealed record Run(int ExitCode, string Output, string Error);

/// <summary>The built program, run as a process of its own as a user runs it.</summary>
internal sealed partial class SignpostProcess : IDisposable
{
    public const int Interrupt = 2; // SIGINT
    public const int Terminate = 15; // SIGTERM

    /// <summary>No test waits longer; a hanging program is then killed and the test fails.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(100);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private readonly TaskCompletionSource<string> _firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SignpostProcess(string program, string workingFolder, string[] args)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = workingFolder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Array.ForEach(args, start.ArgumentList.Add);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Append(_output, line.Data, _firstLine);
        _process.ErrorDataReceived += (_, line) => Append(_error, line.Data, null);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The first line on stdout; fails when the program ends without one.</summary>
    public string FirstLine()
    {
        Task ended = _process.WaitForExitAsync();
        Assert.True(Task.WaitAny([_firstLine.Task, ended], Longest) == 0 || _firstLine.Task.IsCompletedSuccessfully, $"no line on stdout: {Error}");
        return _firstLine.Task.Result;
    }

    /// <summary>Stderr so far.</summary>
    public string Error
    {
        get
        {
            lock (_error)
            {
                return _error.ToString();
            }
        }
    }

    /// <summary>Stdout so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>What it ended with; null while it runs.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>Starts the program in <paramref name="workingFolder"/>.</summary>
    public static SignpostProcess Start(string workingFolder, params string[] args) =>
        new("dotnet", workingFolder, [Path.Combine(AppContext.BaseDirectory, "signpost.dll"), .. args]);

    /// <summary>Starts another program.</summary>
    public static SignpostProcess StartOther(string program, string workingFolder, params string[] args) => new(program, workingFolder, args);

    /// <summary>Runs the program to its end.</summary>
    public static Run Run(string workingFolder, params string[] args)
    {
        using SignpostProcess process = Start(workingFolder, args);
        return process.End();
    }

    /// <summary>Runs another program to its end.</summary>
    public static Run RunOther(string program, string workingFolder, params string[] args)
    {
        using var process = new SignpostProcess(program, workingFolder, args);
        return process.End();
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal) => Assert.Equal(0, SendSignal(_process.Id, signal));

    /// <summary>Ends it at once, as a power cut or the kernel would (SIGKILL); returns when it is gone.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Waits for the end.</summary>
    /// <param name="longest">What takes longer hangs; null: what is long for this program.</param>
    public Run End(TimeSpan? longest = null)
    {
        if (!_process.WaitForExit(longest ?? Longest))
        {
            _process.Kill();
            Assert.Fail($"signpost did not end within {longest ?? Longest}: {Error}");
        }

        _process.WaitForExit(); // the rest of its output
        return new Run(_process.ExitCode, _output.ToString(), Error);
    }

    public void Dispose()
    {
        if (IsRunning)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static void Append(StringBuilder target, string? line, TaskCompletionSource<string>? first)
    {
        if (line is not null)
        {
            lock (target)
            {
                target.Append(line).Append('\n');
            }

            first?.TrySetResult(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
