using System.Xml.Linq;

namespace Signpost.Engine.Tests.Tidy;

/// <summary>A project of the repository.</summary>
/// <param name="Folder">From the root, e.g. src/Engine.</param>
/// <param name="Xml">The project file.</param>
public sealed record ProjectFile(string Folder, XElement Xml)
{
    /// <summary>Every project under src, tests and bench.</summary>
    public static IReadOnlyList<ProjectFile> All { get; } =
    [
        .. new[] { "src", "tests", "bench" }.SelectMany(folder => Repository.Files(folder, "*.csproj"))
            .Select(file => new ProjectFile(Path.GetDirectoryName(file.Path)!.Replace('\\', '/'), XElement.Parse(file.Text))),
    ];

    /// <summary>Namespace of the files in the project's own folder.</summary>
    public string RootNamespace => Xml.Descendants("RootNamespace").Single().Value;

    /// <summary>Folders of the projects it refers to, from the root.</summary>
    public IEnumerable<string> References => Xml.Descendants("ProjectReference")
        .Select(reference => Path.Combine(Folder, reference.Attribute("Include")!.Value.Replace('\\', '/')))
        .Select(path => Path.GetRelativePath(Repository.Root, Path.GetDirectoryName(Path.GetFullPath(path, Repository.Root))!).Replace('\\', '/'));
}
