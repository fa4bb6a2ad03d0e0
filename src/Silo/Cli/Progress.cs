using System.Diagnostics;
using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Silo.Cli.Report;
using Spectre.Console;

namespace Signpost.Silo.Cli;

/// <summary>
/// Shows long work on stderr: one live line on a terminal; where output is redirected, a plain line at the end of a phase and
/// every two seconds within one; nothing when quiet. Thread-safe.
/// </summary>
internal sealed class Progress : IProgress<PhaseProgress>, IDisposable
{
    private const string ClearLine = "\r\u001b[2K";

    /// <summary>Columns of a phase's name: "shard 10/16: neighbours in cells, division 4".</summary>
    private const int PhaseWidth = 43;

    /// <summary>Columns of <see cref="ShortLine"/> beside the name.</summary>
    private const int ShortRest = 44;

    /// <summary>Columns that <see cref="Line"/> needs; narrower terminals get <see cref="ShortLine"/>.</summary>
    private const int LineWidth = PhaseWidth + 75;

    /// <summary>A phase that took less is not worth a line of its own.</summary>
    private static readonly TimeSpan Noteworthy = TimeSpan.FromSeconds(0.1);

    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly IAnsiConsole? _terminal;
    private readonly bool _quiet;
    private bool _lineOpen;
    private long _saidAt = Stopwatch.GetTimestamp();

    /// <param name="quiet">Shows nothing.</param>
    public Progress(bool quiet)
    {
        _quiet = quiet;
        if (!quiet && !Console.IsErrorRedirected)
        {
            _terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        }
    }

    /// <inheritdoc/>
    public void Report(PhaseProgress value)
    {
        if (_quiet)
        {
            return;
        }

        lock (_lock)
        {
            bool ended = value.Done >= value.Total;
            if (ended && value.Elapsed < Noteworthy)
            {
                return;
            }

            if (_terminal is not null)
            {
                ShowLive(value, ended);
            }
            else if (ended || Stopwatch.GetElapsedTime(_saidAt) >= PlainInterval)
            {
                _saidAt = Stopwatch.GetTimestamp();
                Console.Error.WriteLine(value.Detail.Length > 0 ? DetailLine(value, ended) : Line(value, ended));
            }
        }
    }

    /// <summary>Takes the live line away, so that other output starts on a clean one.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (_lineOpen)
            {
                _terminal!.Write(new ControlCode(ClearLine));
                _lineOpen = false;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>Name, done of total, share, rate, time left (or taken), resident memory.</summary>
    private static string Line(in PhaseProgress value, bool ended) => string.Create(
        CultureInfo.InvariantCulture,
        $"{value.Phase,-PhaseWidth} {Count(value.Done),10} / {Count(value.Total),-10} {Share(value),5:P0} {Count(Rate(value)),10}/s  {Time(value, ended),-14} {Memory,6:N0} MiB");

    /// <summary>Name, done of total, time left (or taken), and what there is to tell; the memory where there is room.</summary>
    private static string DetailLine(in PhaseProgress value, bool ended) => string.Create(
        CultureInfo.InvariantCulture, $"{value.Phase} {Count(value.Done)} / {Count(value.Total)}, {Time(value, ended)}  {value.Detail}  {Memory:N0} MiB");

    /// <summary>The same without the counts.</summary>
    private static string ShortLine(in PhaseProgress value, bool ended, int phaseWidth) => string.Create(
        CultureInfo.InvariantCulture, $"{Cut(value.Phase, phaseWidth)} {Share(value),5:P0} {Count(Rate(value)),9}/s  {Time(value, ended),-13} {Memory,6:N0} MiB");

    private static string Cut(string phase, int width) => phase.Length > width ? phase[..width] : phase.PadRight(Math.Min(width, PhaseWidth));

    private static long Memory => Environment.WorkingSet >> 20;

    private static double Share(in PhaseProgress value) => value.Total == 0 ? 1 : (double)value.Done / value.Total;

    private static double Rate(in PhaseProgress value) => value.Done / Math.Max(value.Elapsed.TotalSeconds, 1e-6);

    private static string Time(in PhaseProgress value, bool ended) => ended
        ? $"took {Duration(value.Elapsed.TotalSeconds)}"
        : value.Done > 0 ? $"{Duration((value.Total - value.Done) / Rate(value))} left" : "";

    private void ShowLive(in PhaseProgress value, bool ended)
    {
        int width = Math.Max(20, _terminal!.Profile.Width - 1);
        string line = value.Detail.Length > 0 ? DetailLine(value, ended)
            : width >= LineWidth ? Line(value, ended) : ShortLine(value, ended, Math.Max(1, width - ShortRest));
        _terminal.Write(new ControlCode(ClearLine));
        _terminal.Write(new Text(line.Length > width ? line[..width] : line, ended ? new Style(Color.Grey) : Style.Plain));
        _lineOpen = !ended;
        if (ended)
        {
            _terminal.WriteLine();
        }
    }

    /// <summary>In full up to seven digits, then in millions: bytes are counted too.</summary>
    private static string Count(double value) => value switch
    {
        >= 1e10 => PageText.Number(value / 1e9, "N1") + " G",
        >= 1e7 => PageText.Number(value / 1e6, "N1") + " M",
        >= 10 => PageText.Number(value, "N0"),
        _ => PageText.Number(value, "0.#"),
    };

    private static string Duration(double seconds) => seconds switch
    {
        < 0.1 => "< 0.1 s",
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 60):0} min {seconds % 60:00} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
