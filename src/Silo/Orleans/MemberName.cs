using Orleans.Runtime;

namespace Signpost.Silo.Orleans;

/// <summary>How silos are named in Orleans: SILO@HOST. The host is the one in a silo's certificate; of itself Orleans tells others an address alone.</summary>
/// <param name="Silo">Name of the silo.</param>
/// <param name="Host">Name or address under which others reach it.</param>
internal readonly record struct MemberName(string Silo, string Host)
{
    /// <summary>The name of a member.</summary>
    public static MemberName Of(ClusterMember member)
    {
        int at = member.Name.LastIndexOf('@');
        return at < 0 ? new MemberName(member.Name, "") : new MemberName(member.Name[..at], member.Name[(at + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Silo}@{Host}";
}
