using Spectre.Console;

namespace Signpost.Silo.Cli.Report;

/// <summary>Where tables are drawn.</summary>
internal static class Terminal
{
    /// <summary>Columns of a line where output is redirected: a table is then never folded.</summary>
    private const int RedirectedWidth = 240;

    /// <summary>Room that a table takes beside a column's text.</summary>
    private const int ColumnBorder = 3;

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

    /// <summary>Prints a table whose columns are numbers but for the first, with as many columns as fit.</summary>
    /// <param name="heads">Titles of the columns.</param>
    /// <param name="rows">Cells in the order of <paramref name="heads"/>.</param>
    /// <param name="dispensable">Columns that a narrow terminal is spared, in this order, until the table fits.</param>
    /// <param name="target">Where to.</param>
    public static void Print(string[] heads, string[][] rows, int[] dispensable, TextWriter target)
    {
        IAnsiConsole terminal = On(target);
        int[] shown = Fitting(heads, rows, dispensable, terminal.Profile.Width);
        var table = new Table { Border = TableBorder.Rounded };
        foreach (int column in shown)
        {
            TableColumn head = new TableColumn(Markup.Escape(heads[column])).NoWrap();
            table.AddColumn(column == 0 ? head : head.RightAligned());
        }

        foreach (string[] row in rows)
        {
            table.AddRow([.. shown.Select(column => Markup.Escape(row[column]))]);
        }

        terminal.Write(table);
    }

    private static int[] Fitting(string[] heads, string[][] rows, int[] dispensable, int width)
    {
        int[] widths = [.. heads.Select((head, column) => ColumnBorder + rows.Max(row => Math.Max(head.Length, row[column].Length)))];
        var shown = Enumerable.Range(0, heads.Length).ToList();
        foreach (int column in dispensable.TakeWhile(_ => shown.Sum(c => widths[c]) + 1 > width))
        {
            shown.Remove(column);
        }

        return [.. shown];
    }
}
