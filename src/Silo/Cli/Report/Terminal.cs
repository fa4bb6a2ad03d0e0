using Spectre.Console;

namespace Signpost.Silo.Cli.Report;

/// <summary>Where tables are drawn.</summary>
internal static class Terminal
{
    /// <summary>Columns of a line where output is redirected: a table is then never folded.</summary>
    private const int RedirectedWidth = 240;

    /// <summary>A console that writes to <paramref name="target"/>; without colours and folding where that is not a terminal.</summary>
    public static IAnsiConsole On(TextWriter target)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(target) });
        if (ReferenceEquals(target, Console.Error) ? Console.IsErrorRedirected : Console.IsOutputRedirected)
        {
            console.Profile.Width = RedirectedWidth;
        }

        return console;
    }
}
