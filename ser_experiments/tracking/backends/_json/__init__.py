"""What the folder of JSON files is made of."""
