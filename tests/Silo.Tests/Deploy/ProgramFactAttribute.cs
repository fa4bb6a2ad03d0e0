namespace Signpost.Silo.Tests.Deploy;

/// <summary>A test that runs a program of the system; skipped where it is missing.</summary>
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(place => File.Exists(Path.Combine(place, program))))
        {
            Skip = $"needs {program}";
        }
    }
}
