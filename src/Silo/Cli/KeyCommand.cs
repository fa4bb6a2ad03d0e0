using System.CommandLine;
using Signpost.Engine.Base;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost key</c>: a new API key, and the line by which a server knows it.</summary>
internal static class KeyCommand
{
    private static readonly Argument<string> Name = new("name") { Description = "Name of whoever gets it: letters, digits, . _ -" };

    public static Command Make(CancellationToken cancel)
    {
        Command command = CommandLine.Verb(
            "key", "Make an API key. It is shown once; the server keeps the line of its SHA-256 alone (security.keys).", cancel,
            [SecuritySettings.RoleOf, Settings.Json], Run);
        command.Arguments.Add(Name);
        return command;
    }

    private static void Run(Session session)
    {
        string name = session.Get(Name);
        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
        {
            throw new ProblemException(new Problem(ProblemCode.InvalidArgument, "name", $"'{name}'", "1 .. 64 letters, digits, . _ -", "Name it otherwise."));
        }

        string key = ApiKeys.NewKey();
        string line = ApiKeys.Line(session.Get(SecuritySettings.RoleOf), name, key);
        if (session.Json)
        {
            ReportJson.Print(new KeyReport(key, line), ReportJson.Default.KeyReport);
            return;
        }

        session.Say($"the key, shown this once: {key}");
        session.Say($"the line for security.keys: {line}");
    }
}
