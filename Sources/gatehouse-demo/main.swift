print("gatehouse-demo")
