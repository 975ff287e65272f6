"""talkface: from talking-head videos to a face that speaks. The package imports nothing by itself."""
