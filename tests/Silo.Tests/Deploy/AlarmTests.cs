using System.Text.RegularExpressions;
using Signpost.Silo.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>The alarms and settings of deploy/prometheus, as Prometheus' own tool finds them.</summary>
public sealed partial class AlarmTests
{
    private static readonly string Cases = Repository.At("tests", "Silo.Tests", "Deploy", "alerts.test.yaml");

    private static string[] Alarms =>
        [.. DeployFiles.Read("prometheus", "alerts.yaml")[0].List("groups").SelectMany(group => group.List("rules")).Select(rule => rule.Text("alert"))];

    [ProgramFact("promtool", "prometheus")]
    public void Every_alarm_fires_when_it_is_to_and_not_else_also_where_series_are_absent()
    {
        YamlNode[] cases = [.. DeployFiles.Parse(File.ReadAllText(Cases))[0].List("tests")];
        Assert.Equal(Alarms, cases[0].List("alert_rule_test").Where(test => !test.List("exp_alerts").Any()).Select(test => test.Text("alertname")));
        Assert.Empty(Alarms.Except(cases.SelectMany(c => c.List("alert_rule_test")).Where(test => test.List("exp_alerts").Any()).Select(test => test.Text("alertname"))));
        Says("SUCCESS", "test", "rules", Cases);
    }

    [ProgramFact("promtool", "prometheus")]
    public void Prometheus_finds_no_fault_in_alarms_and_settings() =>
        Says($"{Alarms.Length} rules found", "check", "config", DeployFiles.At("prometheus", "prometheus.yaml"));

    [Fact]
    public void The_documents_list_the_alarms_that_there_are() =>
        Assert.Equal(Alarms, Row().Matches(File.ReadAllText(Repository.At("docs", "operations.md"))).Select(match => match.Groups[1].Value));

    private static void Says(string expected, params string[] words)
    {
        Run run = SignpostProcess.RunOther("promtool", AppContext.BaseDirectory, words);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^\| `(Signpost[A-Z]\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
