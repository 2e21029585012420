"""CSV files: sheets, rows and their errors."""
