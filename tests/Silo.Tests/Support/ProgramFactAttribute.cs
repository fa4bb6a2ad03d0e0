namespace Signpost.Silo.Tests.Support;

/// <summary>A test that runs a program of the system; skipped where it is missing.</summary>
internal sealed class ProgramFactAttribute : FactAttribute
{
    /// <param name="program">Its name.</param>
    /// <param name="package">Debian's package that has it.</param>
    public ProgramFactAttribute(string program, string package)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(place => File.Exists(Path.Combine(place, program))))
        {
            Skip = $"needs {program} (Debian's package {package})";
        }
    }
}
