using System.Diagnostics;

namespace Signpost.Silo.Cli;

/// <summary>
/// A program that this one has started and ends with: its standard input is held open, and whoever sees it end stops, so that nothing
/// is left behind when this process is killed.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    /// <summary>Set for a child of this program: it stops when its standard input ends.</summary>
    public const string StopWithInput = "SIGNPOST_STOP_WITH_INPUT";

    private readonly Process _process;
    private readonly TaskCompletionSource<string> _firstLine = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="name">For messages.</param>
    /// <param name="program">File that is run.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="say">Takes what it writes to stderr, line by line.</param>
    /// <param name="environment">What it is told that others shall not see: its arguments are seen by all users of the machine.</param>
    public ChildProcess(
        string name, string program, IEnumerable<string> arguments, Action<string> say, params ReadOnlySpan<(string Variable, string Value)> environment)
    {
        Name = name;
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string variable, string value) in environment)
        {
            start.Environment[variable] = value;
        }

        start.Environment[StopWithInput] = "1";
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => _firstLine.TrySetResult(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
            {
                say(text);
            }
        };
        _process.Exited += (_, _) => _firstLine.TrySetResult("");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Number of the process.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>This program, run as a process of its own with <paramref name="words"/>.</summary>
    public static ChildProcess Signpost(
        string name, IEnumerable<string> words, Action<string> say, params ReadOnlySpan<(string Variable, string Value)> environment) =>
        new(name, Environment.ProcessPath!, Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Path.Combine(AppContext.BaseDirectory, "signpost.dll"), .. words]
            : words, say, environment);

    /// <summary>The first line that it prints; empty when it ends without one.</summary>
    public string FirstLine(CancellationToken cancel)
    {
        _firstLine.Task.Wait(cancel);
        return _firstLine.Task.Result;
    }

    /// <summary>Asks it to end in order.</summary>
    public void Stop() => _process.StandardInput.Close();

    /// <summary>Asks it to end and waits; what takes longer than <paramref name="time"/> is killed.</summary>
    public void End(TimeSpan time)
    {
        Stop();
        if (!_process.WaitForExit(time))
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsRunning)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    /// <summary>Where this process is such a child: asks it to stop when its standard input ends.</summary>
    public static void StopWithParent(Action stop)
    {
        if (Environment.GetEnvironmentVariable(StopWithInput) is null)
        {
            return;
        }

        new Thread(() =>
        {
            while (Console.In.Read() >= 0)
            {
                // Nothing is said there; it ends with the parent.
            }

            stop();
        })
        {
            IsBackground = true,
            Name = "signpost parent",
        }.Start();
    }
}
