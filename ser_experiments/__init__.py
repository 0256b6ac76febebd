"""Speech emotion recognition experiments that are one command, comparable and honest."""
