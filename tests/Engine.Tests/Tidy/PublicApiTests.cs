namespace Signpost.Engine.Tests.Tidy;

/// <summary>
/// The public types of the engine stand in PublicApi.txt, so that a change of the surface is seen where it is reviewed.
/// UPDATE_API=1 writes the file anew.
/// </summary>
public class PublicApiTests
{
    private static string ListPath => Path.Combine(Repository.Root, "tests/Engine.Tests/Tidy/PublicApi.txt");

    [Fact]
    public void The_public_types_of_the_engine_are_those_of_the_list()
    {
        string[] actual = [.. typeof(Signpost.Engine.Base.Check).Assembly.GetExportedTypes().Select(Describe).Order(StringComparer.Ordinal)];
        if (Environment.GetEnvironmentVariable("UPDATE_API") == "1")
        {
            File.WriteAllText(ListPath, string.Concat(actual.Select(line => line + "\n")));
        }

        Assert.Equal([], Differences(File.ReadAllLines(ListPath), actual));
    }

    [Fact]
    public void A_type_that_came_or_went_is_caught() =>
        Assert.Equal(["new: class C", "gone: class A"], Differences(["class A", "class B"], ["class B", "class C"]));

    private static string[] Differences(string[] listed, string[] actual) =>
        [.. actual.Except(listed).Select(line => $"new: {line}"), .. listed.Except(actual).Select(line => $"gone: {line}")];

    private static string Describe(Type type)
    {
        string kind = type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct" : type.IsSubclassOf(typeof(Delegate)) ? "delegate" : "class";
        return $"{kind} {type.FullName}";
    }
}
