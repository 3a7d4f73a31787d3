ratio = 7
