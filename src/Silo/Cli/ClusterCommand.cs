using System.CommandLine;
using Signpost.Client;
using Signpost.Silo.Cli.Report;
using Signpost.Silo.Security;

namespace Signpost.Silo.Cli;

/// <summary><c>signpost cluster</c>: who is there, and who holds what, as one silo sees it.</summary>
internal static class ClusterCommand
{
    public static Command Make(CancellationToken cancel) => CommandLine.Verb(
        "cluster",
        "Show the silos of a cluster, their load, and which shards they hold.",
        cancel,
        [Settings.AskedUrl, SecuritySettings.KeyFile, SecuritySettings.Authorities, Settings.Watch, Settings.Json],
        Run);

    private static void Run(Session session)
    {
        using SignpostClient client = Guard.ClientOf(session, session.Get(Settings.AskedUrl)!);
        do
        {
            ClusterInfo cluster = client.GetClusterAsync(session.Cancel).GetAwaiter().GetResult();
            if (session.Json)
            {
                ReportJson.Print(cluster, ReportJson.Default.ClusterInfo);
            }
            else
            {
                ClusterTable.Print(session, cluster);
            }
        }
        while (session.Get(Settings.Watch) && !session.Cancel.WaitHandle.WaitOne(TimeSpan.FromSeconds(1)));
    }
}
