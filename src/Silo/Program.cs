Console.Error.WriteLine("signpost: no command yet");
return 2;
