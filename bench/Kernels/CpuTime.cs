using System.Reflection;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;

namespace Signpost.Bench.Kernels;

/// <summary>
/// The same benchmarks by CPU time of the thread instead of the clock on the wall, for machines that are shared: the least of many
/// short repetitions, in ns per operation. Linux only.
/// </summary>
internal static unsafe class CpuTime
{
    private const int Repetitions = 30;
    private const int WarmUps = 5;
    private const long RepetitionNs = 1_000_000;
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID

    /// <summary>Runs every benchmark whose class name contains <paramref name="filter"/> and prints a table.</summary>
    public static void Run(string filter)
    {
        Console.WriteLine("| benchmark | parameters | ns |\n|---|---|---|");
        foreach (Type type in typeof(CpuTime).Assembly.GetTypes().Where(t => t.Name.EndsWith("Benchmark") && t.Name.Contains(filter)))
        {
            PropertyInfo[] parameters = [.. type.GetProperties().Where(p => Values(p).Length > 0)];
            foreach (object[] values in Combinations(parameters.Select(Values)))
            {
                object benchmark = Activator.CreateInstance(type)!;
                for (int i = 0; i < values.Length; i++)
                {
                    parameters[i].SetValue(benchmark, values[i]);
                }

                type.GetMethod("Setup")!.Invoke(benchmark, null);
                foreach (MethodInfo method in type.GetMethods())
                {
                    if (method.GetCustomAttribute<BenchmarkAttribute>() is { } attribute)
                    {
                        double ns = Nanoseconds(method.CreateDelegate<Func<double>>(benchmark)) / attribute.OperationsPerInvoke;
                        Console.WriteLine($"| {type.Name}.{method.Name} | {string.Join(", ", values)} | {ns:F2} |");
                    }
                }

                ((IDisposable)benchmark).Dispose();
            }
        }
    }

    private static double Nanoseconds(Func<double> run)
    {
        int calls = 1;
        for (int i = 0; i < WarmUps; i++)
        {
            calls = (int)Math.Clamp(calls * RepetitionNs / Math.Max(1, Time(run, calls)), 1, RepetitionNs);
        }

        double best = double.MaxValue;
        for (int i = 0; i < Repetitions; i++)
        {
            best = Math.Min(best, (double)Time(run, calls) / calls);
        }

        return best;
    }

    private static long Time(Func<double> run, int calls)
    {
        long start = Now();
        for (int i = 0; i < calls; i++)
        {
            run();
        }

        return Now() - start;
    }

    private static object[] Values(PropertyInfo property) =>
        property.GetCustomAttribute<ParamsAttribute>() is { } given ? [.. given.Values.Select(value => value!)]
        : property.GetCustomAttribute<ParamsAllValuesAttribute>() is not null ? [.. Enum.GetValues(property.PropertyType).Cast<object>()]
        : [];

    private static IEnumerable<object[]> Combinations(IEnumerable<object[]> sets) =>
        sets.Aggregate<object[], IEnumerable<object[]>>([[]], (all, set) => from head in all from tail in set select (object[])[.. head, tail]);

    private static long Now()
    {
        long* time = stackalloc long[2];
        _ = clock_gettime(ThreadClock, time);
        return time[0] * 1_000_000_000 + time[1];
    }

    [DllImport("libc")]
    private static extern int clock_gettime(int clock, long* time);
}
