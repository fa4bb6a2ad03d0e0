using System.CommandLine;
using System.Text.Json.Nodes;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Inspect;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost inspect</c>: what a file or a collection's folder is, and whether it is whole.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> Path = new("path")
    {
        Description = "A collection's folder, its manifest.json, a .segment, .codes or .codebook, or a file of vectors or ids.",
        HelpName = "FILE|FOLDER",
    };

    public static Command Make(CancellationToken cancel)
    {
        Command command = CommandLine.Verb(
            "inspect",
            "Describe a file: header, sections and their checksums, graph statistics; for vector files their shape. Damage ends with exit code 3.",
            cancel,
            [Settings.Threads, Settings.Json],
            Run);
        command.Arguments.Add(Path);
        return command;
    }

    private static void Run(Session session)
    {
        var inspector = new Inspector(session.Work);
        JsonObject description = inspector.Describe(session.Get(Path));
        if (session.Json)
        {
            ReportJson.Print(description);
        }
        else
        {
            session.Clear();
            TreeText.Write(description, Console.Out);
        }

        if (inspector.Damage is { } damage)
        {
            throw damage;
        }
    }
}
