using Signpost.Silo.Cli;

return CommandLine.Run(args);
