using System.CommandLine;
using System.CommandLine.Parsing;
using Signpost.Engine.Base;

namespace Signpost.Silo.Cli;

/// <summary>One run of a verb: its settings (command line before environment before <c>cluster.yaml</c> before default), its progress, its Ctrl-C.</summary>
internal sealed class Session(ParseResult parse, ConfigFile config, CancellationToken cancel) : IDisposable
{
    private readonly Progress _progress = new(parse.GetValue(Settings.Quiet.Option));

    /// <summary>Asked to stop by Ctrl-C or SIGTERM.</summary>
    public CancellationToken Cancel => cancel;

    /// <summary>True where stdout must hold one JSON object and nothing else.</summary>
    public bool Json => Get(Settings.Json);

    /// <summary>How the long tasks of this run work.</summary>
    public Work Work => new(Get(Settings.Threads), _progress, cancel);

    /// <summary>The value in force.</summary>
    public T Get<T>(Setting<T> setting)
    {
        if (Given(setting))
        {
            return parse.GetValue(setting.Option)!;
        }

        if (setting.Variable is { } variable && Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text && setting.Read(text) is T told)
        {
            return told;
        }

        config.TryGet(setting, out T value);
        return value;
    }

    /// <summary>True where the command line gives <paramref name="setting"/>.</summary>
    public bool Given(Setting setting) => parse.GetResult(setting.Symbol) is OptionResult { Implicit: false };

    /// <summary>The value of an argument.</summary>
    public T Get<T>(Argument<T> argument) => parse.GetRequiredValue(argument);

    /// <summary>The value of an argument that may be left out; null where it is.</summary>
    public T? Find<T>(Argument<T> argument) => parse.GetValue(argument);

    /// <summary>A folder of a collection: as named, or by its name in the data folder.</summary>
    public string CollectionFolder(string folderOrName)
    {
        string inData = Path.Combine(Get(Settings.DataFolder)!, folderOrName);
        return !Directory.Exists(folderOrName) && Directory.Exists(inData) ? inData : folderOrName;
    }

    /// <summary>Takes the progress line away before something is printed.</summary>
    public void Clear() => _progress.Clear();

    /// <summary>Shows how far something is.</summary>
    public void Report(PhaseProgress progress) => _progress.Report(progress);

    /// <summary>A line for people; on stderr where stdout is for JSON.</summary>
    public void Say(string line)
    {
        Clear();
        (Json ? Console.Error : Console.Out).WriteLine(line);
    }

    /// <inheritdoc/>
    public void Dispose() => _progress.Dispose();

    /// <summary>The settings file in force, or null where it is not usable and its errors have been said.</summary>
    public static ConfigFile? LoadConfig(ParseResult parse)
    {
        string? named = parse.GetValue(Settings.Config.Option);
        if (named is null && !File.Exists(ConfigFile.DefaultPath))
        {
            return ConfigFile.Empty;
        }

        ConfigFile config = ConfigFile.Load(named ?? ConfigFile.DefaultPath);
        foreach (string error in config.Errors)
        {
            Console.Error.WriteLine(error);
        }

        return config.Errors.Count == 0 ? config : null;
    }
}
