using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;

namespace Signpost.Silo.Cli;

/// <summary>The verbs, and what every verb has in common: settings file, Ctrl-C, errors on stderr, exit codes.</summary>
internal static class CommandLine
{
    private const int HelpWidth = 120;

    /// <summary>Runs what <paramref name="args"/> ask for; returns an exit code of <see cref="ExitCodes"/>.</summary>
    public static int Run(string[] args)
    {
        using var cancel = new CancellationTokenSource();
        RootCommand root = Root(cancel.Token);
        ParseResult parse = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parse.Action is ParseErrorAction)
        {
            return Refuse(parse);
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        ChildProcess.StopWithParent(cancel.Cancel);
        int code = parse.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        return args.Length == 0 ? ExitCodes.Refused : code;

        // The first signal asks the work to stop at its next chunk; a second one ends the process.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !cancel.IsCancellationRequested;
            cancel.Cancel();
        }
    }

    /// <summary>A verb with its settings; <paramref name="run"/> returns nothing and throws what <see cref="Failure"/> has words for.</summary>
    public static Command Verb(string name, string description, CancellationToken cancel, Setting[] settings, Action<Session> run)
    {
        var command = new Command(name, description);
        foreach (Setting setting in settings)
        {
            command.Options.Add(setting.Symbol);
        }

        command.Options.Add(Settings.Config.Option);
        command.Options.Add(Settings.Quiet.Option);
        command.SetAction(parse => Guarded(cancel, () =>
        {
            if (Session.LoadConfig(parse) is not { } config)
            {
                return ExitCodes.Refused;
            }

            using var session = new Session(parse, config, cancel);
            run(session);
            return ExitCodes.Done;
        }));
        return command;
    }

    private static RootCommand Root(CancellationToken cancel)
    {
        var root = new RootCommand(
            """
            Signpost: vector search. Build a graph index over vectors, search it, measure it, serve it.

            First time: signpost demo
            Exit codes: 0 done, 1 unexpected failure, 2 refused arguments or input, 3 damaged file, 4 taken for dead by its
            cluster (start it again), 130 stopped by Ctrl-C.
            """)
        {
            DemoCommand.Make(cancel),
            BuildCommand.Make(cancel),
            SearchCommand.Make(cancel),
            ExactCommand.Make(cancel),
            EvalCommand.Make(cancel),
            CompareCommand.Make(cancel),
            InspectCommand.Make(cancel),
            TrainCommand.Make(cancel),
            PushCommand.Make(cancel),
            LayoutCommands.Split(cancel),
            LayoutCommands.Merge(cancel),
            LayoutCommands.Compact(cancel),
            ServeCommand.Make(cancel),
            UpCommand.Make(cancel),
            ClusterCommand.Make(cancel),
            KeyCommand.Make(cancel),
            DrainCommand.Make(cancel),
            RebalanceCommand.Make(cancel),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction help })
            {
                help.MaxWidth = HelpWidth;
            }
        }

        return root;
    }

    private static int Guarded(CancellationToken cancel, Func<int> run)
    {
        try
        {
            return run();
        }
        catch (Exception e)
        {
            var failure = Failure.Of(e, cancel.IsCancellationRequested);
            return Say(failure.Message, failure.ExitCode);
        }
    }

    private static int Refuse(ParseResult parse)
    {
        foreach (string message in parse.Errors.Select(e => e.Message).Distinct())
        {
            string? word = parse.UnmatchedTokens.FirstOrDefault(token => message.Contains($"'{token}'", StringComparison.Ordinal));
            if (word is null && parse.UnmatchedTokens.Count > 0 && parse.CommandResult.Command is RootCommand)
            {
                continue; // "a command is required" says nothing beside the command that was not understood
            }

            string? near = word is null ? null : Similar.To(word, KnownWords(parse.CommandResult.Command));
            Say(near is null ? message : $"{message.TrimEnd('.')}; did you mean '{near}'?", 0);
        }

        string verb = parse.CommandResult.Command is RootCommand ? "" : parse.CommandResult.Command.Name + " ";
        return Say($"try: signpost {verb}--help", ExitCodes.Refused);
    }

    private static IEnumerable<string> KnownWords(Command command) =>
        command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name)).Append("--help");

    private static int Say(string message, int code)
    {
        Console.Error.WriteLine($"signpost: {message}");
        return code;
    }
}
