using Signpost.Engine.Base;

namespace Signpost.Silo.Http;

/// <summary>What an operator may ask of a silo. Thread-safe.</summary>
internal interface IAdmin
{
    /// <summary>Lets everything leave the silo that is asked, and then end it; or takes that back.</summary>
    Outcome<DrainReply> Drain(DrainBody body);

    /// <summary>Lets the leader, which is to be asked, balance once; or only tells what it would do, which any silo can.</summary>
    Outcome<PlanReply> Rebalance(RebalanceBody body);

    /// <summary>Begins a training, which the silo that is asked runs, or stops one.</summary>
    ValueTask<Outcome<TrainingReply>> TrainAsync(TrainBody body, CancellationToken cancel);
}
