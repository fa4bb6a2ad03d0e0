using System.Text.RegularExpressions;
using Signpost.Silo.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>The files of deploy/, read as YAML.</summary>
internal static partial class DeployFiles
{
    public static string At(params string[] parts) => Repository.At(["deploy", .. parts]);

    /// <summary>The documents of a file.</summary>
    public static IReadOnlyList<YamlMappingNode> Read(params string[] parts) => Parse(File.ReadAllText(At(parts)));

    /// <summary>The documents of a text.</summary>
    public static IReadOnlyList<YamlMappingNode> Parse(string text)
    {
        var stream = new YamlStream();
        using var reader = new StringReader(text);
        stream.Load(reader);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    /// <summary>The name that the silo of a pod tells others, with the variables in it as Kubernetes fills them.</summary>
    public static string AdvertisedHost(string pod, string space)
    {
        YamlNode silo = Read("kubernetes", "silos.yaml").Single().List("spec.template.spec.containers").Single();
        string[] args = [.. silo.Texts("args")];
        return Variable().Replace(args[Array.IndexOf(args, "--advertise-host") + 1], match =>
            silo.List("env").Single(variable => variable.Text("name") == match.Groups[1].Value).Text("valueFrom.fieldRef.fieldPath") switch
            {
                "metadata.name" => pod,
                "metadata.namespace" => space,
                var other => throw new InvalidOperationException($"a field of a pod that is not known here: {other}"),
            });
    }

    /// <summary>The object at a path of keys; an empty map where there is none.</summary>
    public static YamlNode Get(this YamlNode node, string path)
    {
        foreach (string key in path.Split('.'))
        {
            node = node is YamlMappingNode map && map.Children.TryGetValue(key, out YamlNode? next) ? next : new YamlMappingNode();
        }

        return node;
    }

    public static string Text(this YamlNode node, string path) => node.Get(path) is YamlScalarNode { Value: { } value } ? value : "";

    public static IEnumerable<YamlNode> List(this YamlNode node, string path) => node.Get(path) is YamlSequenceNode list ? list : [];

    public static IEnumerable<string> Texts(this YamlNode node, string path) => node.List(path).Select(item => ((YamlScalarNode)item).Value!);

    public static IEnumerable<string> Keys(this YamlNode node, string path) =>
        node.Get(path) is YamlMappingNode map ? map.Children.Keys.Select(key => ((YamlScalarNode)key).Value!) : [];

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Variable();
}
