using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo;

/// <summary>
/// <c>cluster.yaml</c>, read strictly: unknown keys, wrong types and values out of range are all reported at once, each with its
/// line. Keys are the <see cref="Setting.YamlPath"/>s of <see cref="Settings.InFile"/>.
/// </summary>
internal sealed class ConfigFile
{
    /// <summary>The file that is read when it is there and no other is named.</summary>
    public const string DefaultPath = "cluster.yaml";

    private readonly Dictionary<Setting, object> _values = [];
    private readonly List<string> _errors = [];
    private readonly string _path;

    private ConfigFile(string path) => _path = path;

    /// <summary>No file: every setting has its default.</summary>
    public static ConfigFile Empty { get; } = new("");

    /// <summary>What is wrong, one line each, in the file's order; empty when the file may be used.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>The value that the file gives, if it gives one.</summary>
    public bool TryGet<T>(Setting<T> setting, out T value)
    {
        bool given = _values.TryGetValue(setting, out object? found);
        value = given ? (T)found! : setting.Fallback;
        return given;
    }

    /// <summary>Reads <paramref name="path"/>; see <see cref="Errors"/>.</summary>
    public static ConfigFile Load(string path) => Parse(File.ReadAllText(path), path);

    /// <summary>Reads <paramref name="yaml"/>; <paramref name="path"/> is for messages.</summary>
    public static ConfigFile Parse(string yaml, string path)
    {
        var file = new ConfigFile(path);
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            if (stream.Documents.Count > 0)
            {
                file.ReadMap("", stream.Documents[0].RootNode);
            }
        }
        catch (YamlException e)
        {
            file.Add(e.Start.Line, $"not YAML: {e.Message}");
        }

        return file;
    }

    private void ReadMap(string path, YamlNode node)
    {
        if (node is YamlScalarNode { Value: null or "" })
        {
            return; // an empty file, or a section with everything commented out
        }

        if (node is not YamlMappingNode map)
        {
            Add(node.Start.Line, $"{(path.Length == 0 ? "the file" : path)}: got {Describe(node)}, expected keys with values");
            return;
        }

        foreach ((YamlNode key, YamlNode value) in map.Children)
        {
            ReadEntry(path.Length == 0 ? $"{key}" : $"{path}.{key}", key.Start.Line, value);
        }
    }

    private void ReadEntry(string path, long line, YamlNode value)
    {
        Setting? setting = Settings.InFile.FirstOrDefault(s => s.YamlPath == path);
        if (setting is null)
        {
            if (Settings.InFile.Any(s => s.YamlPath!.StartsWith(path + ".", StringComparison.Ordinal)))
            {
                ReadMap(path, value);
                return;
            }

            string? near = Similar.To(path, Settings.InFile.SelectMany(s => Sections(s.YamlPath!)));
            Add(line, $"{path}: unknown setting{(near is null ? "" : $"; did you mean {near}?")}");
            return;
        }

        if (value is YamlScalarNode { Value: { } text } && setting.Read(text) is { } read)
        {
            _values[setting] = read;
            return;
        }

        Add(value.Start.Line, $"{path}: got {Describe(value)}, expected {setting.Expected}");
    }

    /// <summary>A path and what it lies in: "serve.url" gives "serve" and "serve.url".</summary>
    private static IEnumerable<string> Sections(string path)
    {
        string[] parts = path.Split('.');
        return Enumerable.Range(1, parts.Length).Select(count => string.Join('.', parts[..count]));
    }

    private void Add(long line, string what) => _errors.Add(string.Create(CultureInfo.InvariantCulture, $"{_path}:{line}: {what}"));

    private static string Describe(YamlNode node) => node switch
    {
        YamlScalarNode scalar => $"'{scalar.Value}'",
        YamlSequenceNode => "a list",
        _ => "keys with values",
    };
}
