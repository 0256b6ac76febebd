"""What is put into the folder of an exported model as it stands here: the script that predicts."""
