using BenchmarkDotNet.Running;
using Signpost.Bench.Kernels;

if (args is ["cpu", ..])
{
    CpuTime.Run(args.Length > 1 ? args[1] : "");
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(CpuTime).Assembly).Run(args);
}
