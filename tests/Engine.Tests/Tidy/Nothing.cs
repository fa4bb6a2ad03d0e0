namespace Signpost.Engine.Tests.Tidy;

/// <summary>Asserts that a rule found nothing, and shows all that it found: Assert.Empty cuts its list after a few characters.</summary>
public static class Nothing
{
    /// <summary>Fails with one line for each thing found.</summary>
    public static void In(IEnumerable<string> found)
    {
        string all = string.Join('\n', found);
        Assert.True(all.Length == 0, all);
    }
}
