using System.Reflection;
using System.Runtime.CompilerServices;
using Signpost.Silo.Tests.Support;

namespace Signpost.Client.Tests;

/// <summary>
/// What an application can call stands in PublicApi.txt, so that a change of it is seen where it is reviewed. UPDATE_API=1 writes the file
/// anew.
/// </summary>
public class PublicApiTests
{
    private static string ListPath => Repository.At("tests", "Client.Tests", "PublicApi.txt");

    [Fact]
    public void The_public_members_of_the_client_are_those_of_the_list()
    {
        string[] actual = [.. typeof(SignpostClient).Assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal).SelectMany(Lines)];
        if (Environment.GetEnvironmentVariable("UPDATE_API") == "1")
        {
            File.WriteAllText(ListPath, string.Concat(actual.Select(line => line + "\n")));
        }

        Assert.Equal(File.ReadAllLines(ListPath), actual);
    }

    private static IEnumerable<string> Lines(Type type)
    {
        yield return type.FullName!;
        foreach (string member in type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Where(IsWritten).Select(Describe).Order(StringComparer.Ordinal))
        {
            yield return "  " + member;
        }
    }

    /// <summary>Not what the compiler adds to a record, nor the methods behind a property.</summary>
    private static bool IsWritten(MemberInfo member) =>
        !member.IsDefined(typeof(CompilerGeneratedAttribute))
        && member is not (MethodInfo { IsSpecialName: true } or Type)
        && member.Name is not ("Equals" or "GetHashCode" or "ToString" or "value__")
        && !(member is ConstructorInfo made && made.GetParameters() is [{ } only] && only.ParameterType == member.DeclaringType);

    private static string Describe(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{ get;{Setter(property)} }}",
        ConstructorInfo made => $"new({Parameters(made)})",
        MethodInfo method => $"{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        FieldInfo field => field.DeclaringType!.IsEnum ? $"{field.Name} = {field.GetRawConstantValue()}" : $"{Name(field.FieldType)} {field.Name}",
        _ => member.ToString()!,
    };

    private static string Setter(PropertyInfo property) => property.SetMethod switch
    {
        null => "",
        { } set when set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) => " init;",
        _ => " set;",
    };

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.IsOptional ? "?" : "")}"));

    private static string Name(Type type) => type switch
    {
        { IsGenericType: true } => $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>",
        _ => type.Name,
    };
}
